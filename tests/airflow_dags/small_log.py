"""A small synthetic log that ends yesterday, and the configuration of the jobs that read it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import yaml
from rendered_argv import REPOSITORY

DAYS = 6
READ = """
import json, sys
from deltalake import DeltaTable, QueryBuilder

lists = QueryBuilder().register("lists", DeltaTable(sys.argv[1]))
query = "SELECT run_date, count(*) AS n FROM lists GROUP BY run_date ORDER BY run_date"
by_day = lists.execute(query).read_all()
print(json.dumps({str(day): n for day, n in zip(by_day["run_date"].to_pylist(), by_day["n"].to_pylist())}))
"""


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
        "report": {"folder": str(folder / "reports")},
    }
    shutil.copy(REPOSITORY / "conf" / "base.yaml", folder / "base.yaml")
    conf = folder / "small.yaml"
    conf.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return conf


def run_road(conf: Path, run_date: str) -> None:
    """Build all tables up to the day, with a model that serves and lists, in one Spark session."""
    own = ("SPARK_HOME", "PYTHONPATH", "PYSPARK_DRIVER_PYTHON")
    environ = {name: value for name, value in os.environ.items() if name not in own}
    main = REPOSITORY / ".venv" / "bin"
    environ |= {"PATH": f"{main}:{environ['PATH']}", "SPARK_CONF_DIR": str(REPOSITORY / "conf")}
    flags = ["--conf", str(conf), "--run-date", run_date]
    log = conf.with_name("road.log")
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            [main / "spark-submit", "--master", "local[2]", "jobs/run_road.py", *flags],
            check=False,
            cwd=REPOSITORY,
            env=environ | {"PYSPARK_PYTHON": str(main / "python")},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if done.returncode != 0:
        raise SystemExit(f"run_road failed; its log is {log}")


def published(folder: Path) -> dict[str, int]:
    """Run date -> rows in `recommendations`, read without Spark."""
    printed = subprocess.run(
        [REPOSITORY / ".venv-analyst" / "bin" / "python", "-c", READ, folder / "lake" / "recommendations"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return dict(json.loads(printed))
