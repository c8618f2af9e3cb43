"""How fast a training learns, next to what the machine's matrix products allow.

A made log of --rows histories over --items items is read by Petastorm and learnt by the product's own steps:
in one process of two threads, and by two Horovod ranks of one thread each, taking turns. The limit of a full
softmax is 6 x width x items flops an event (scores, and the gradients of both their factors) at the rate of
large products, measured in the same runs; other losses score --negatives drawn items in their place. A
tenth of the rows gives the exponent of an epoch's cost.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from lstmrec.learn.spec import TrainingSpec
from tests.benchmarks.quality import LENGTHS
from tests.learn.tables import model_config, record, row, training_config, write_split

ROW_GROUPS: Final = 8
ROOT: Final = Path(__file__).parents[2]


def histories(n: int, n_items: int, seed: int = 20) -> list[list[int]]:
    """Items by Zipf's law; 3 to 200 a history, 9 in the mean."""
    rng = np.random.default_rng(seed)
    lengths = np.minimum(3 + rng.geometric(1 / 7, n) - 1, LENGTHS[-1])
    popularity = 1 / np.arange(1, n_items + 1)
    items = rng.choice(n_items, lengths.sum(), p=popularity / popularity.sum()) + 1
    return [part.tolist() for part in np.split(items, np.cumsum(lengths)[:-1])]


def order(folder: Path, n_rows: int, flags: argparse.Namespace) -> TrainingSpec:
    rows = [row(number, items) for number, items in enumerate(histories(n_rows, flags.items))]
    return TrainingSpec(
        train=write_split(folder, "train", rows, LENGTHS, ROW_GROUPS),
        validation=(),
        item_index=(),
        n_items=flags.items,
        model=model_config(width=flags.width, embedding_dropout=0.3, dropout=0.3),
        training=training_config(
            batch_size=flags.batch, full_up_to_items=flags.items, loss=flags.loss, negatives=flags.negatives,
            later_items=flags.later_items, average_epochs=1, precision=flags.precision,
            compression=flags.compression,
        ),
        artifact_uri="none",
        record=record(),
    )  # fmt: skip


def measured(spec: TrainingSpec, processes: int, epochs: int) -> dict[str, Any]:
    """What the chief of so many ranks measured; they share two threads."""
    with tempfile.TemporaryDirectory() as folder:
        told, answer = Path(folder, "spec.json"), Path(folder, "measured.json")
        told.write_text(spec.model_dump_json())
        command = [sys.executable, "-m", "tests.benchmarks.train_rank", str(told), str(answer), str(epochs)]
        if processes > 1:
            launcher = ["-m", "horovod.runner.launch", "--gloo", "-np", str(processes)]
            command = [sys.executable, *launcher, *command]
        threads = {"TF_NUM_INTRAOP_THREADS": str(2 // processes), "TF_NUM_INTEROP_THREADS": "1"}
        environment = os.environ | threads | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        told_back: dict[str, Any] = json.loads(answer.read_text())
        return told_back


def rates(run: dict[str, Any]) -> list[float]:
    return [run["events"] / seconds for seconds in run["seconds"]]


def spread(values: list[float]) -> tuple[float, float, float]:
    return min(values), statistics.median(values), max(values)


def figures(
    one: list[dict[str, Any]], two: list[dict[str, Any]], tenth: list[dict[str, Any]], flops_an_event: float
) -> dict[str, Any]:
    """Least, median, most of each figure over the epochs of all rounds; ratios are of a round's medians."""

    def medians(runs: list[dict[str, Any]]) -> list[float]:
        return [statistics.median(rates(run)) for run in runs]

    alone, ranks = medians(one), medians(two)
    seconds, seconds_of_tenth = ([statistics.median(run["seconds"]) for run in runs] for runs in (one, tenth))
    growth = one[0]["events"] / tenth[0]["events"]
    return {
        "events_per_s": {
            "1 process x 2 threads": spread([rate for run in one for rate in rates(run)]),
            "2 processes x 1 thread": spread([rate for run in two for rate in rates(run)]),
        },
        "gflops": spread([run["flops_per_s"] / 1e9 for run in one]),
        "share_of_gemm": spread(
            [rate * flops_an_event / run["flops_per_s"] for rate, run in zip(alone, one, strict=True)]
        ),
        "two_to_one": spread([b / a for a, b in zip(alone, ranks, strict=True)]),
        "ms_a_step": spread([1000 * statistics.median(run["seconds"]) / run["steps"] for run in one]),
        "peak_mb": spread([run["peak_mb"] for run in one]),
        "wait_share": spread([run["wait_share"] for run in one]),
        "feed_to_training": spread(
            [run["feed_rows_per_s"] / run["rows"] * s for run, s in zip(one, seconds, strict=True)]
        ),
        "growth_exponent": spread(
            [math.log(s / t) / math.log(growth) for s, t in zip(seconds, seconds_of_tenth, strict=True)]
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=40_000, help="histories")
    parser.add_argument("--items", type=int, default=12_101)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=128, help="histories a step, over all ranks")
    parser.add_argument("--loss", choices=("full", "sampled", "bpr_max"), default="full")
    parser.add_argument("--negatives", type=int, default=2048, help="of the other losses")
    parser.add_argument("--later-items", type=float, default=0.0, help="as training.later_items")
    parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"), default="float32")
    parser.add_argument("--compression", choices=("none", "fp16"), default="none", help="between ranks")
    parser.add_argument("--epochs", type=int, default=2, help="measured, a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    flags = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        whole = order(Path(folder, "whole"), flags.rows, flags)
        tenth = order(Path(folder, "tenth"), flags.rows // 10, flags)
        runs: list[list[dict[str, Any]]] = [[], [], []]
        for _ in range(flags.rounds):
            for (spec, processes, epochs), made in zip(
                ((whole, 1, flags.epochs), (whole, 2, flags.epochs), (tenth, 1, 3 * flags.epochs)),
                runs, strict=True,
            ):  # fmt: skip
                made.append(measured(spec, processes, epochs))
    scored = flags.items if flags.loss == "full" else flags.negatives
    found = figures(*runs, flops_an_event=6 * flags.width * scored)
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    flags.out.write_text(
        json.dumps(
            {"settings": vars(flags) | {"out": str(flags.out)}, "events": runs[0][0]["events"], **found},
            indent=2,
        )
    )
    print(f"{flags.loss}, {flags.items:,} items x {flags.width}, batch {flags.batch}; median (least to most)")
    for name, (least, median, most) in {**found.pop("events_per_s"), **found}.items():
        print(f"{name:>24} {median:>12,.2f} ({least:,.2f} to {most:,.2f})")


if __name__ == "__main__":
    main()
