"""Next-item quality on a file of item sequences, by leave-one-out, over the product's own road.

The last item of a user is the test's target, the one before validation's. All items are ranked, the
user's earlier ones removed; ties count against the model. Settings are chosen by validation NDCG@10
with one seed (search.py), epochs by each seed's own validation; then a model a seed is trained on
train and validation for as many epochs. Test figures are of those models alone.

    python -m tests.benchmarks.leave_one_out --sequences FILE --out JSON
"""

import argparse
import json
import logging
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec import training
from lstmrec.config import Config
from lstmrec.lake.model_tables import SEQUENCES
from lstmrec.lake.store import Lake
from lstmrec.learn import distributed
from lstmrec.learn.spec import TrainingResult
from lstmrec.prepare import splits
from tests.benchmarks import item_sequences, quality, search
from tests.benchmarks.search import Settings

LENGTHS = (5, 10, 20, 50, 100, 200)
WITHOUT_TIMES = {"use_event_types": False, "use_gaps": False}

log = logging.getLogger(__name__)


def main() -> None:
    flags = parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="lstmrec-bench-", dir=flags.folder) as folder:
        config = quality.base_config(Path(folder), "user", LENGTHS, WITHOUT_TIMES)
        spark = quality.open_spark(config)
        given = item_sequences.read(flags.sequences)
        lake = Lake(spark, config.lake.root, {"job": "benchmark"})
        item_sequences.write(lake, item_sequences.sessions(spark, given), config)
        figures = run(lake, config, flags)
        spark.stop()
    figures = {
        "sequences": flags.sequences.name,
        "users": len(given.users),
        "events": given.n_events,
    } | figures
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    flags.out.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps({name: figures[name]["mean"] for name in ("validation", "test")}, indent=2))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=Path, required=True, metavar="FILE", help="a line a user")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="JSON", help="ranks go beside it, as .ranks.tsv"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the final models")
    parser.add_argument("--minutes", type=float, default=25, help="after which the search starts no trial")
    parser.add_argument("--folder", type=Path, help="where the scratch lake lies while it runs")
    return parser.parse_args()


def run(lake: Lake, config: Config, flags: argparse.Namespace) -> dict[str, Any]:
    """Search, final models, figures; ranks to their file."""
    began = time.perf_counter()
    rows, targets = item_sequences.split_sizes(lake, splits.TRAIN)

    def train(settings: Settings, seed: int, learn_from: str) -> TrainingResult:
        chosen = search.applied(config, settings, rows, targets)
        how = {"seed": seed, "learn_from": learn_from}
        chosen = chosen.model_copy(update={"training": chosen.training.model_copy(update=how)})
        log.info("%s, seed %d: %s", learn_from, seed, dict(settings))
        return distributed.launch(training.order(lake, chosen, item_sequences.RUN_DATE))

    trials = search.search(lambda s: train(s, flags.seeds[0], splits.TRAIN), flags.minutes * 60)
    searched = time.perf_counter() - began
    settings = trials[0].settings

    results = {seed: train(settings, seed, splits.TRAIN_AND_VALIDATION) for seed in flags.seeds}
    test = lake.read(SEQUENCES).where(F.col(c.SPLIT) == splits.TEST)
    n_items = lake.read(item_sequences.ITEM_INDEX).count()
    ranks = {
        seed: quality.ranks_by_id(test, result.artifact_uri, n_items, config)
        for seed, result in results.items()
    }
    quality.write_ranks(flags.out.with_suffix(".ranks.tsv"), ranks)
    of_test = {seed: quality.figures_of(list(by_user.values())) for seed, by_user in ranks.items()}
    return {
        "items": n_items,
        "chosen": dict(settings),
        "epochs": {seed: result.best.epoch for seed, result in results.items()},
        "trained_on": splits.TRAIN_AND_VALIDATION,
        "seeds": flags.seeds,
        "validation": quality.over_seeds({seed: of_validation(result) for seed, result in results.items()}),
        "test": quality.over_seeds(of_test)
        | {"interval": quality.interval(ranks, config, lambda user: user)},
        "trials": [asdict(trial) for trial in trials],
        "seconds": {
            "search": searched,
            "final": {seed: result.seconds for seed, result in results.items()},
            "all": time.perf_counter() - began,
        },
    }


def of_validation(result: TrainingResult) -> dict[str, float]:
    """What the training itself measured at its best epoch, before the final model learnt those targets."""
    return {"recall@10": result.best.hit_rate_at_10, "ndcg@10": result.best.ndcg_at_10}


if __name__ == "__main__":
    main()
