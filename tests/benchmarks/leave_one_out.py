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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec import config as configuration
from lstmrec import runtime, scoring, training
from lstmrec.config import Config
from lstmrec.lake.model_tables import SEQUENCES
from lstmrec.lake.store import Lake
from lstmrec.learn import distributed
from lstmrec.learn.spec import TrainingResult
from lstmrec.prepare import splits
from lstmrec.rank import metrics
from tests.benchmarks import item_sequences, search
from tests.benchmarks.search import Settings

ROOT = Path(__file__).parents[2]
KS = (1, 5, 10, 20)
LENGTHS = (5, 10, 20, 50, 100, 200)

Ranks = npt.NDArray[np.int64]
log = logging.getLogger(__name__)


def main() -> None:
    flags = parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="lstmrec-bench-", dir=flags.folder) as folder:
        config = base_config(Path(folder))
        spark = open_spark(config)
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


def base_config(folder: Path) -> Config:
    """conf/base.yaml with a scratch lake, and without the inputs that a file of sequences lacks."""
    loaded = configuration.load(ROOT / "conf" / "base.yaml")
    inputs = {"use_event_types": False, "use_gaps": False}
    lengths = {"grain": "user", "max_length": LENGTHS[-1], "length_buckets": LENGTHS}
    return loaded.model_copy(
        update={
            "lake": loaded.lake.model_copy(update={"root": str(folder / "lake")}),
            "model": loaded.model.model_copy(update=inputs),
            "sequences": loaded.sequences.model_copy(update=lengths),
            "training": loaded.training.model_copy(update={"artifacts": str(folder / "artifacts")}),
        }
    )


def open_spark(config: Config) -> SparkSession:
    SparkSession.builder.master("local[2]").config("spark.driver.memory", "2g")
    spark = runtime.spark_session("bench", config.spark)
    spark.sparkContext.setLogLevel("ERROR")
    return spark


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
        seed: ranks_by_user(test, result.artifact_uri, n_items, config) for seed, result in results.items()
    }
    write_ranks(flags.out.with_suffix(".ranks.tsv"), ranks)
    of_test = {seed: figures_of(list(by_user.values())) for seed, by_user in ranks.items()}
    return {
        "items": n_items,
        "chosen": dict(settings),
        "epochs": {seed: result.best.epoch for seed, result in results.items()},
        "trained_on": splits.TRAIN_AND_VALIDATION,
        "seeds": flags.seeds,
        "validation": over_seeds({seed: of_validation(result) for seed, result in results.items()}),
        "test": over_seeds(of_test) | {"interval": interval(ranks, config)},
        "trials": [trial.as_json() for trial in trials],
        "seconds": {
            "search": searched,
            "final": {seed: result.seconds for seed, result in results.items()},
            "all": time.perf_counter() - began,
        },
    }


def of_validation(result: TrainingResult) -> dict[str, float]:
    """What the training itself measured at its best epoch, before the final model learnt those targets."""
    return {"recall@10": result.best.hit_rate_at_10, "ndcg@10": result.best.ndcg_at_10}


def ranks_by_user(rows: DataFrame, uri: str, n_items: int, config: Config) -> dict[str, int]:
    """The rank of each user's target, by the artifact's encoder; users in the order of their ids."""
    ranked = scoring.rank_targets(rows, scoring.ModelScorer(uri), n_items, config.scoring.users_per_block)
    return {r[c.SEQUENCE_ID]: r[c.RANK] for r in ranked.orderBy(c.SEQUENCE_ID).collect()}


def figures_of(ranks: Sequence[int]) -> dict[str, float]:
    """Means over targets; mrr without a limit."""
    taken = np.array(ranks, np.int64)
    figures = {f"recall@{k}": float(metrics.hit_rate(taken, k).mean()) for k in KS}
    figures |= {f"ndcg@{k}": float(metrics.ndcg(taken, k).mean()) for k in KS}
    return figures | {"mrr": float((1 / taken).mean())}


def over_seeds(by_seed: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    """Each seed's figures, and their means."""
    names = next(iter(by_seed.values())).keys()
    mean = {name: float(np.mean([figures[name] for figures in by_seed.values()])) for name in names}
    return {"per_seed": {seed: dict(figures) for seed, figures in by_seed.items()}, "mean": mean}


def interval(ranks: Mapping[int, Mapping[str, int]], config: Config) -> dict[str, list[float]]:
    """95 % bootstrap interval over users of each figure's mean over seeds: a user comes with all seeds."""
    table = np.array([list(by_user.values()) for by_user in ranks.values()])
    gains = {f"recall@{k}": metrics.hit_rate(table, k).mean(axis=0) for k in KS}
    gains |= {f"ndcg@{k}": metrics.ndcg(table, k).mean(axis=0) for k in KS} | {
        "mrr": (1 / table).mean(axis=0)
    }
    rng = np.random.default_rng(config.evaluation.bootstrap_seed)
    n, means = table.shape[1], {name: [] for name in gains}
    for _ in range(config.evaluation.bootstrap_resamples):
        times = np.bincount(rng.integers(0, n, n), minlength=n)
        for name, of_user in gains.items():
            means[name].append(times @ of_user / n)
    return {name: [float(end) for end in np.quantile(drawn, [0.025, 0.975])] for name, drawn in means.items()}


def write_ranks(path: Path, ranks: Mapping[int, Mapping[str, int]]) -> None:
    """user, and the rank of its target by each seed's model; a line a user."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(["user", *(f"seed_{seed}" for seed in ranks)])]
    for user in next(iter(ranks.values())):
        lines.append("\t".join([user, *(str(by_user[user]) for by_user in ranks.values())]))
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
