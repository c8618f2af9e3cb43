"""A job alone, by spark-submit, as an operator runs it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lstmrec.lake.tables import SESSIONS
from tests.jobs.shop import ROOT, Shop

pytestmark = pytest.mark.slow


def submit(job: str, flags: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("spark-submit")),
            "--master",
            "local[2]",
            f"jobs/{job}.py",
            *flags,
        ],
        cwd=ROOT,
        env=os.environ | {"PYSPARK_PYTHON": sys.executable, "SPARK_CONF_DIR": str(ROOT / "conf")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_job_runs_alone_and_leaves_the_same_rows(spark: SparkSession, shop: Shop) -> None:
    before = sorted(row["session_id"] for row in shop.table(spark, SESSIONS).collect())
    done = submit("build_sessions", shop.flags())
    assert done.returncode == 0, done.stderr
    assert sorted(row["session_id"] for row in shop.table(spark, SESSIONS).collect()) == before


def test_a_users_mistake_is_one_line_and_exit_code_2(shop: Shop) -> None:
    done = submit("score_recommendations", shop.override("wrong.yaml", {"scoring": {"n": 0}}))
    assert done.returncode == 2
    said = done.stdout + done.stderr  # spark-submit hands on what Python says on either as stdout
    assert "scoring.n: Input should be greater than or equal to 1, got 0" in said
    assert "Traceback" not in said
