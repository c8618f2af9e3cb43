"""Run three nights of a small log in a real Airflow: `make run-airflow`.

    .venv-airflow/bin/python tests/airflow_dags/three_nights.py --folder var/nights --port 8080

The log ends yesterday. One road by hand trains a model for the first of the three days; then the nightly
DAG is unpaused, its schedule runs the last night, and a backfill the two before. On a terminal Airflow's
pages stay up until ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import small_log
from live_airflow import Airflow
from rendered_argv import REPOSITORY

DAG_ID = "nightly_scoring"
NIGHT_SECONDS = 1800


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def train(conf: Path, run_date: str) -> None:
    """Build all tables up to the day, with a model that serves, in one Spark session."""
    log = conf.with_name("road.log")
    flags = ["--conf", str(conf), "--run-date", run_date]
    environ = {name: value for name, value in os.environ.items() if name not in ("SPARK_HOME", "PYTHONPATH")}
    main = REPOSITORY / ".venv" / "bin"
    environ |= {"PATH": f"{main}:{environ['PATH']}", "SPARK_CONF_DIR": str(REPOSITORY / "conf")}
    submit = [str(main / "spark-submit"), "--master", "local[2]", "jobs/run_road.py", *flags]
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            submit,
            check=False,
            cwd=REPOSITORY,
            env=environ | {"PYSPARK_PYTHON": str(main / "python")},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if done.returncode != 0:
        raise SystemExit(f"run_road failed; its log is {log}")


def tell(airflow: Airflow, folder: Path) -> bool:
    """Print the nights with their lists; returns whether all succeeded."""
    runs, lists = airflow.runs(DAG_ID), small_log.published(folder)
    say(f"{'run date':<12}{'run by':<12}{'state':<10}{'tasks':>6}{'tries':>7}{'rows of recommendations':>26}")
    for run in runs:
        day, tasks = run["logical_date"][:10], airflow.tasks(DAG_ID, run["dag_run_id"])
        tries, rows = sum(n for _, n in tasks.values()), lists.get(day, 0)
        say(f"{day:<12}{run['run_type']:<12}{run['state']:<10}{len(tasks):>6}{tries:>7}{rows:>26,}")
    return {run["state"] for run in runs} == {"success"}


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="of log, lake and Airflow; made anew")
    parser.add_argument("--port", type=int, default=8080, help="of Airflow's pages, on 127.0.0.1")
    flags = parser.parse_args()
    folder = flags.folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    last = datetime.now(UTC).date() - timedelta(days=1)
    first, second = (last - timedelta(days=back) for back in (2, 1))
    say(f"a small log of {small_log.DAYS} days up to {last}, and a model of {first}")
    conf = small_log.make(folder, last)
    train(conf, first.isoformat())

    with Airflow(folder / "airflow", conf, flags.port, {}) as airflow:
        airflow.unpause(DAG_ID)
        say(f"{DAG_ID} is unpaused: its schedule runs {last}")
        airflow.wait_for_runs(DAG_ID, 1, NIGHT_SECONDS)
        airflow.backfill(DAG_ID, first.isoformat(), second.isoformat())
        say(f"a backfill runs {first} and {second}")
        airflow.wait_for_runs(DAG_ID, 3, 2 * NIGHT_SECONDS)
        succeeded = tell(airflow, folder)
        say(f"to see them: {airflow.url}/dags/{DAG_ID}, user admin, password in {airflow.passwords}")
        if sys.stdin.isatty():
            say("ctrl-C ends Airflow")
            with suppress(KeyboardInterrupt):
                signal.pause()
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
