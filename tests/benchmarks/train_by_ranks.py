"""What 1, 2 and 4 Horovod processes on this machine reach, and how fast, with the same sessions and settings.

Each is a whole training by `distributed.launch`: the same rows a step over all processes together, the last
click of each session of three and more for validation. More processes than cores show that they agree, not
how fast they would be on as many machines.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from lstmrec.learn import distributed
from tests.benchmarks.quality import LENGTHS
from tests.benchmarks.train import ROW_GROUPS
from tests.benchmarks.train_beside_peer import sessions
from tests.learn.tables import model_config, spec, training_config

PROCESSES = (1, 2, 4)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=Path, required=True, metavar="TSV", help="SessionId, ItemId, Time")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=128, help="sessions a step, over all processes")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    flags = parser.parse_args()

    histories = [history for history in sessions(flags.train) if len(history) > 2]
    model = model_config(width=flags.width, embedding_dropout=0.3, dropout=0.3, use_gaps=False)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-ranks-") as folder:
        for processes in PROCESSES:
            training = training_config(
                processes=processes, batch_size=flags.batch, max_epochs=flags.epochs, learning_rate=0.005,
                full_up_to_items=100_000, average_epochs=1, seen_items="ranked", checkpoint_epochs=0,
            )  # fmt: skip
            order = spec(
                Path(folder, str(processes)), histories, max(map(max, histories)), lengths=LENGTHS,
                groups=ROW_GROUPS, model=model, training=training,
            )  # fmt: skip
            epochs = distributed.launch(order).history
            found[str(processes)] = {
                "ndcg@10": [epoch.ndcg_at_10 for epoch in epochs],
                "events/s": statistics.median(epoch.events_per_second for epoch in epochs[1:]),
            }
            print(f"{processes} processes: {found[str(processes)]}", flush=True)
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    flags.out.write_text(json.dumps({"width": flags.width, "batch": flags.batch, **found}, indent=2))


if __name__ == "__main__":
    main()
