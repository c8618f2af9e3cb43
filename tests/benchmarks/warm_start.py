"""What a warm start saves: epochs to the same validation NDCG@10, from an earlier model and from new weights.

The earlier model knows each history without its last `--later` items, and so none of the targets that both
trainings are validated by. Each learns until validation gets no better; the level is what both reached.

    python -m tests.benchmarks.warm_start --sequences FILE --out JSON
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from lstmrec.lake.store import Lake
from lstmrec.learn import distributed
from lstmrec.learn.spec import EpochRecord
from lstmrec.prepare import splits
from tests.benchmarks import experiment, item_sequences, leave_one_out, quality, search
from tests.benchmarks.item_sequences import Log

SETTINGS: search.Settings = search.START | {"width": 128, "embedding_dropout": 0.3, "dropout": 0.3}


def main() -> None:
    flags = parse()
    experiment.log_to_stderr()
    whole = item_sequences.read(flags.sequences)
    with tempfile.TemporaryDirectory(prefix="lstmrec-bench-") as folder:
        spark = quality.open_spark(quality.base_config(Path(folder), "user", quality.LENGTHS, {}))
        earlier, _ = trained(spark, Path(folder, "earlier"), without_last(whole, flags.later), None)
        cold = trained(spark, Path(folder, "cold"), whole, None)
        warm = trained(spark, Path(folder, "warm"), whole, earlier)
        spark.stop()
    histories = {"cold": cold[1], "warm": warm[1]}
    found = {"settings": SETTINGS, "later": flags.later, **saved(histories)}
    found["epochs"] = {name: [epoch.model_dump() for epoch in own] for name, own in histories.items()}
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    flags.out.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps({name: found[name] for name in ("level", "epochs_to_level", "best")}, indent=2))


def without_last(log: Log, n: int) -> Log:
    """The log before each user's last `n` items; users keep one item at least."""
    return Log(log.users, tuple(items[: max(1, len(items) - n)] for items in log.items))


def trained(
    spark: SparkSession, folder: Path, log: Log, start: str | None
) -> tuple[str, Sequence[EpochRecord]]:
    """The artifact of a training on the train split, and its epochs."""
    config = quality.base_config(folder, "user", quality.LENGTHS, leave_one_out.WITHOUT_TIMES)
    lake = Lake(spark, config.lake.root, {"job": "benchmark"})
    item_sequences.write(lake, item_sequences.sessions(spark, log), config)
    spec = experiment.orders(lake, config)(SETTINGS, {"learn_from": splits.TRAIN})
    result = distributed.launch(spec.model_copy(update={"warm_start_uri": start}))
    return result.artifact_uri, result.history


def saved(histories: dict[str, Sequence[EpochRecord]]) -> dict[str, Any]:
    """The level that all reached, in how many epochs each did, and each one's best."""
    gains = {name: [epoch.ndcg_at_10 or 0.0 for epoch in own] for name, own in histories.items()}
    best = {name: max(own) for name, own in gains.items()}
    level = min(best.values())
    epochs = {
        name: next(at for at, gain in enumerate(own, start=1) if gain >= level) for name, own in gains.items()
    }
    return {"level": level, "epochs_to_level": epochs, "best": best}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=Path, required=True, metavar="FILE", help="a line a user")
    parser.add_argument(
        "--later", type=int, default=5, help="items a user that the earlier model lacks (%(default)s)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
