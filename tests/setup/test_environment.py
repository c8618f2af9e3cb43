import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DELTA_ROUND_TRIP = """
import sys
from pyspark.sql import SparkSession

spark = (
    SparkSession.builder
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.databricks.delta.snapshotPartitions", "1")
    .config("spark.sql.shuffle.partitions", "1")
    .getOrCreate()
)
spark.range(7).write.format("delta").save(sys.argv[1])
print("rows:", spark.read.format("delta").load(sys.argv[1]).count())
"""


def test_the_ci_command_is_the_readmes_test_command_and_nothing_cleverer() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert run.read_text().splitlines() == [
        "#!/usr/bin/env bash",
        "set -euo pipefail",
        'cd "$(dirname "$0")/.."',
        "exec make test",
    ]


def test_a_second_set_up_does_nothing() -> None:
    assert make("--dry-run", ".venv/.filled").splitlines() == [".ci/prerequisites.sh"]


def test_make_help_lists_what_the_readme_promises() -> None:
    goals = {line.split()[1] for line in make("help").splitlines() if line.startswith("  make ")}
    assert goals >= {"help", "setup", "data", "run", "run-airflow", "test", "check", "lock", "clean"}


def make(*arguments: str) -> str:
    """Give what `make` prints, also where the tests themselves were started by make."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    got = subprocess.run(["make", *arguments], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    return got.stdout


@pytest.mark.slow
def test_a_plain_spark_submit_reads_and_writes_delta_without_packages_or_network(tmp_path: Path) -> None:
    job = tmp_path / "job.py"
    job.write_text(DELTA_ROUND_TRIP)
    nowhere = "-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=9 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9"
    got = subprocess.run(
        [Path(sys.prefix) / "bin" / "spark-submit", "--master", "local[1]", job, tmp_path / "table"],
        env={
            **os.environ,
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_SUBMIT_OPTS": f"{nowhere} -Duser.home={tmp_path}",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "rows: 7" in got.stdout, got.stderr


@pytest.mark.slow
def test_the_spark_extra_is_enough_for_a_machine_that_only_runs_spark_jobs(tmp_path: Path) -> None:
    uv = ROOT / ".ci" / "uv.sh"
    python = tmp_path / "venv" / "bin" / "python"
    constraints = ROOT / "conf" / "locks" / "main.txt"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", python, "--constraints", constraints, ".[spark]"],
        cwd=ROOT,
        check=True,
    )
    installed = subprocess.run(
        [uv, "pip", "freeze", "--python", python], capture_output=True, text=True, check=True
    ).stdout
    names = {line.partition("==")[0].partition(" @")[0] for line in installed.splitlines()}
    assert {"lstmrec", "pyspark", "delta-spark", "onnxruntime"} <= names
    assert not {"tensorflow", "tensorflow-cpu", "horovod", "petastorm"} & names

    usage = subprocess.run(
        [python, ROOT / "jobs" / "build_sessions.py", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert usage.returncode == 0, usage.stderr
    assert "--run-date" in usage.stdout
