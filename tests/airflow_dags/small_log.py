"""A small synthetic log that ends yesterday, and the configuration of the jobs that read it."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import yaml
from rendered_argv import REPOSITORY

DAYS = 6


def make(folder: Path, last_day: date) -> Path:
    """Write the log of the days up to `last_day` below `folder`; returns the configuration's file."""
    subprocess.run(
        [
            *(REPOSITORY / ".venv" / "bin" / "python", "-m", "lstmrec.samples.synthetic"),
            *("--out", folder / "raw", "--users", "150", "--items", "120", "--days", str(DAYS)),
            *("--start-day", (last_day - timedelta(days=DAYS - 1)).isoformat()),
        ],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    settings = {
        "lake": {"root": str(folder / "lake")},
        "source": {
            "site": "synthetic",
            "events": str(folder / "raw" / "events"),
            "items": str(folder / "raw" / "items.jsonl.gz"),
            "users": str(folder / "raw" / "users.jsonl.gz"),
        },
        "sessions": {"bot_events_per_minute": 60},
        "sequences": {"max_length": 20, "length_buckets": [10, 20], "row_groups": 4},
        "model": {"width": 32, "embedding_dropout": 0.1, "dropout": 0.1},
        "training": {
            "batch_size": 32,
            "learning_rate": 0.01,
            "max_epochs": 8,
            "artifacts": str(folder / "artifacts"),
        },
        "evaluation": {"bootstrap_resamples": 100},
    }
    shutil.copy(REPOSITORY / "conf" / "base.yaml", folder / "base.yaml")
    conf = folder / "small.yaml"
    conf.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return conf


def published(folder: Path) -> dict[str, int]:
    """Run date -> rows in `recommendations`, read without Spark."""
    read = (
        "import sys, deltalake as d; p = sys.argv[1]; t = d.DeltaTable.is_deltatable(p) and d.DeltaTable(p)\n"
        "q = 'SELECT run_date, count(*) AS n FROM t GROUP BY run_date ORDER BY run_date'\n"
        "rows = d.QueryBuilder().register('t', t).execute(q).read_all() if t else None\n"
        "for i in range(rows.num_rows if rows else 0): print(rows['run_date'][i], rows['n'][i])\n"
    )
    printed = subprocess.run(
        [REPOSITORY / ".venv-analyst" / "bin" / "python", "-c", read, folder / "lake" / "recommendations"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {day: int(n) for day, n in (line.split() for line in printed.splitlines())}
