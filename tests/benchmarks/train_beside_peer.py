"""How fast a training learns, next to the official GRU4Rec for TensorFlow, from one file of sessions.

Both learn from the same TSV (SessionId, ItemId, Time) on a CPU with two threads, taking turns: the same
hidden size, sessions side by side, number of drawn items a step and dropout of embeddings; sampled softmax
with logQ. The peer takes one event of each of its sessions a step, ours whole sessions: so ours is measured a
second time, with as many sessions a step as hold that many events. Its code is no part of this project: clone
github.com/hidasib/GRU4Rec_Tensorflow_Official, and give it a Python with TensorFlow 2.18, tf-keras 2.18,
pandas and joblib.
"""

import argparse
import csv
import json
import os
import re
import statistics
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from lstmrec.learn.spec import DataFile, TrainingSpec
from tests.benchmarks.quality import LENGTHS
from tests.benchmarks.train import ROW_GROUPS, measured, rates, spread
from tests.learn.tables import model_config, record, row, training_config, windows, write_split

EVENTS_A_SECOND: Final = re.compile(r"Epoch\d+ --> .*\| (\d+) e/s\]")
EMBEDDING_DROPOUT: Final = 0.3


def sessions(tsv: Path) -> list[list[int]]:
    """Each session's items by index from 1 on, oldest first; those of one click have nothing to learn."""
    clicks: dict[str, list[tuple[float, str]]] = defaultdict(list)
    with tsv.open() as lines:
        for line in csv.DictReader(lines, delimiter="\t"):
            clicks[line["SessionId"]].append((float(line["Time"]), line["ItemId"]))
    known: dict[str, int] = {}
    histories = [
        [known.setdefault(item, len(known) + 1) for _, item in sorted(of, key=lambda click: click[0])]
        for of in clicks.values()
    ]
    return [history for history in histories if len(history) > 1]


def order(train: tuple[DataFile, ...], n_items: int, batch: int, flags: argparse.Namespace) -> TrainingSpec:
    return TrainingSpec(
        train=train,
        validation=(),
        item_index=(),
        n_items=n_items,
        model=model_config(width=flags.hidden, embedding_dropout=EMBEDDING_DROPOUT, dropout=0.0),
        training=training_config(
            batch_size=batch, loss="sampled", negatives=flags.negatives, later_items=0.0, average_epochs=1
        ),
        artifact_uri="none",
        record=record(),
    )


def rates_of_peer(flags: argparse.Namespace) -> list[float]:
    """Events a second of its epochs but the first, which traces."""
    settings = {
        "loss": "cross-entropy", "logq": 1.0, "n_sample": flags.negatives, "sample_alpha": 0.5,
        "layers": flags.hidden, "constrained_embedding": True, "dropout_p_embed": EMBEDDING_DROPOUT,
        "batch_size": flags.batch, "n_epochs": 1 + flags.epochs,
    }  # fmt: skip
    told = ",".join(f"{name}={value}" for name, value in settings.items())
    threads = {"TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "1"}
    command = [flags.peer_python, "run.py", str(flags.train.resolve()), "-d", "cpu", "-ps", told]
    ran = subprocess.run(
        command, check=True, cwd=flags.peer, capture_output=True, text=True,
        env=os.environ | threads | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
    )  # fmt: skip
    return [float(rate) for rate in EVENTS_A_SECOND.findall(ran.stdout)][1:]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=Path, required=True, metavar="TSV")
    parser.add_argument("--peer", type=Path, required=True, metavar="FOLDER", help="its repository")
    parser.add_argument("--peer-python", required=True, metavar="PYTHON")
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--batch", type=int, default=128, help="sessions side by side")
    parser.add_argument("--negatives", type=int, default=2048)
    parser.add_argument("--epochs", type=int, default=2, help="measured, a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    flags = parser.parse_args()

    histories = sessions(flags.train)
    n_items = max(map(max, histories))
    events_a_session = sum(len(history) - 1 for history in histories) / len(histories)
    same_events = round(flags.batch / events_a_session)
    rows = [
        row(number, window["items"])
        for number, history in enumerate(histories)
        for window in windows(number, history, LENGTHS[-1])
    ]
    ours: dict[str, list[float]] = {"same sessions a step": [], "same events a step": []}
    peer: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-peer-") as folder:
        train = write_split(Path(folder), "train", rows, LENGTHS, ROW_GROUPS)
        for _ in range(flags.rounds):
            for name, batch in zip(ours, (flags.batch, same_events), strict=True):
                run = measured(order(train, n_items, batch, flags), 1, flags.epochs)
                ours[name].append(statistics.median(rates(run)))
            peer.append(statistics.median(rates_of_peer(flags)))
    report(flags, ours, peer, {"sessions": len(histories), "items": n_items, "sessions a step": same_events})


def report(
    flags: argparse.Namespace, ours: dict[str, list[float]], peer: list[float], data: dict[str, int]
) -> None:
    """A round's median each; ratios are within a round."""
    found: dict[str, Any] = {"peer, events/s": spread(peer)}
    for name, of in ours.items():
        found[f"ours, {name}, events/s"] = spread(of)
        found[f"ours / peer, {name}"] = spread([a / b for a, b in zip(of, peer, strict=True)])
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    settings = {name: str(value) for name, value in vars(flags).items()}
    flags.out.write_text(json.dumps({"settings": settings, **data, **found}, indent=2))
    print(f"hidden {flags.hidden}, {flags.batch} sessions, {flags.negatives} draws; median (least to most)")
    for name, (least, median, most) in found.items():
        print(f"{name:>40} {median:>12,.2f} ({least:,.2f} to {most:,.2f})")


if __name__ == "__main__":
    main()
