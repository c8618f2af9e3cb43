"""Runs by `airflow dags test`, with spark-submit, or a program in its place that notes its calls."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from rendered_argv import DAGS, REPOSITORY

AIRFLOW = str(Path(sys.executable).with_name("airflow"))

NOTES_ITS_CALL = """#!/bin/sh
for word in "$@"; do case $word in *.py) job=$(basename "$word" .py);; esac; done
echo "$job $PYSPARK_PYTHON" >> "$CALLS"
[ "$job" != "$FAILING" ] || { echo "BrokenContract: planted"; exit 1; }
"""


def fresh_airflow(folder: Path) -> dict[str, str]:
    """The environment of an Airflow of our DAGs that has its home in the folder."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | {
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "0",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW_VAR_LSTMREC_HOME": str(REPOSITORY),
        "AIRFLOW_CONN_SPARK_LSTMREC": '{"conn_type": "spark", "host": "local[1]"}',
    }


def night(folder: Path, failing: str) -> tuple[int, str, list[str]]:
    """Run the nightly DAG with one failing job: exit code, Airflow's log, the calls of spark-submit."""
    binary, calls = folder / "bin" / "spark-submit", folder / "calls"
    binary.parent.mkdir()
    binary.write_text(NOTES_ITS_CALL, encoding="utf-8")
    binary.chmod(0o755)
    environ = fresh_airflow(folder) | {
        "PATH": f"{binary.parent}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "FAILING": failing,
    }
    subprocess.run([AIRFLOW, "db", "migrate"], check=True, capture_output=True, env=environ)
    done = subprocess.run(
        [AIRFLOW, "dags", "test", "nightly_scoring", "2026-01-31"],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environ,
    )
    return done.returncode, done.stdout, calls.read_text(encoding="utf-8").splitlines()


def test_a_job_that_keeps_failing_is_tried_three_times_and_stops_what_reads_its_table(tmp_path: Path) -> None:
    code, log, calls = night(tmp_path, failing="build_sessions")
    python = f"{REPOSITORY}/.venv/bin/python"
    assert Counter(calls) == {
        f"ingest_events {python}": 1,
        f"ingest_catalogue {python}": 1,
        f"build_sessions {python}": 3,
    }
    assert code != 0
    assert "BrokenContract: planted" in log


def test_a_configuration_that_is_not_there_fails_the_task_and_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    environ = fresh_airflow(tmp_path) | {
        "PATH": f"{REPOSITORY}/.venv/bin:{os.environ['PATH']}",
        "AIRFLOW_VAR_LSTMREC_CONF": str(missing),
    }
    subprocess.run([AIRFLOW, "db", "migrate"], check=True, capture_output=True, env=environ)
    done = subprocess.run(
        [AIRFLOW, "dags", "test", "upkeep", "2026-01-31"],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environ,
    )
    assert done.returncode != 0
    assert f"keep_tables: {missing}" in done.stdout


def test_airflow_does_not_start_without_the_configuration_that_it_was_given(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    environ = os.environ | {"CONF": str(missing), "AIRFLOW_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [REPOSITORY / ".ci" / "airflow.sh"], check=False, capture_output=True, text=True, env=environ
    )
    assert (done.returncode, done.stderr) == (1, f"airflow: CONF={missing} is not a file\n")
    assert not (tmp_path / "home").exists()
