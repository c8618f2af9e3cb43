import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lstmrec import runtime
from lstmrec.errors import BadInput
from lstmrec.lake.tables import RUN_ACCOUNTING
from lstmrec.runtime import Run

ROOT = Path(__file__).parents[1]


@pytest.fixture
def flags(tmp_path: Path) -> list[str]:
    """Flags of a run whose lake is fresh."""
    (tmp_path / "base.yaml").write_text((ROOT / "conf" / "base.yaml").read_text())
    own = tmp_path / "own.yaml"
    own.write_text(f"lake: {{root: {tmp_path}/lake}}\n")
    return ["--conf", str(own), "--run-date", "2026-01-31"]


@pytest.fixture
def _own_log() -> Iterator[None]:
    """A job takes over the log of its process; the tests after it want theirs back."""
    handlers = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = handlers


def run_job(story: Callable[[Run], None], flags: list[str]) -> None:
    runtime.job("some_job", "Tell a story.")(story)(flags)


def submitted(*flags: str) -> subprocess.CompletedProcess[str]:
    job = [sys.executable, "jobs/build_sessions.py", *flags]
    return subprocess.run(job, capture_output=True, text=True, cwd=ROOT, check=False)


def test_a_run_date_that_is_no_date_ends_with_one_line_after_the_usage() -> None:
    ran = submitted("--conf", "conf/base.yaml", "--run-date", "31.1.2026")
    *usage, said = ran.stderr.splitlines()
    assert usage[0].startswith("usage: build_sessions.py ")
    assert said == (
        "build_sessions.py: error: argument --run-date: '31.1.2026' is not a date; write it as YYYY-MM-DD"
    )
    assert (ran.returncode, ran.stdout) == (2, "")


@pytest.mark.parametrize("text", ["2026-02-30", "yesterday", "", "2026-1-31", "20260131", "2026-W05-6"])
def test_only_a_real_day_written_in_full_is_a_run_date(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = runtime.job("some_job", None)(lambda run: None).parser()
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--conf", "conf/base.yaml", "--run-date", text])
    assert ended.value.code == 2
    assert f"argument --run-date: {text!r} is not a date" in capsys.readouterr().err


def test_a_users_mistake_is_one_line_and_exit_code_2_before_spark_starts(tmp_path: Path) -> None:
    ran = submitted("--conf", str(tmp_path / "none.yaml"), "--run-date", "2026-01-31")
    assert ran.stderr == (
        f"build_sessions: {tmp_path}/none.yaml: cannot be read (No such file or directory); "
        "give --conf a file beside base.yaml\n"
    )
    assert (ran.returncode, ran.stdout) == (2, "")


@pytest.mark.usefixtures("spark", "_own_log")
def test_a_mistake_found_by_the_story_is_the_last_line_with_the_jobs_name(
    flags: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    def story(run: Run) -> None:
        raise BadInput("clicks.json: no such file; look for it")

    with pytest.raises(SystemExit) as ended:
        run_job(story, flags)
    assert ended.value.code == 2
    told = capfd.readouterr().err
    assert told.endswith("\nsome_job: clicks.json: no such file; look for it\n")
    assert "Traceback" not in told


@pytest.mark.usefixtures("spark", "_own_log")
def test_a_fault_of_ours_keeps_its_traceback(flags: list[str]) -> None:
    def story(run: Run) -> None:
        {}["nothing"]

    with pytest.raises(KeyError, match="nothing"):
        run_job(story, flags)


@pytest.mark.usefixtures("_own_log")
def test_a_story_gets_what_the_flags_name(spark: SparkSession, flags: list[str], tmp_path: Path) -> None:
    runs = []
    run_job(runs.append, flags)
    (run,) = runs
    assert (run.job, run.run_date, run.conf) == ("some_job", date(2026, 1, 31), tmp_path / "own.yaml")
    assert run.lake.root == f"{tmp_path}/lake"
    assert run.spark is spark
    assert run.spark.conf.get("spark.sql.session.timeZone") == "UTC"


@pytest.mark.usefixtures("spark", "_own_log")
def test_the_books_of_a_rerun_replace_those_of_the_first_run(flags: list[str]) -> None:
    runs = []
    for n in (3, 5):
        run_job(lambda run, n=n: runs.append(run) or run.record(n, {"kept": n - 1, "late": 1}), flags)
    (last,) = {run.run_id for run in runs}
    assert last == "some_job-2026-01-31"
    books = runs[-1].lake.read_version(RUN_ACCOUNTING, runs[-1].lake.version(RUN_ACCOUNTING))
    assert {(r["run_id"], r["outcome"], r["n_rows"]) for r in books.collect()} == {
        (last, "rows_in", 5),
        (last, "kept", 4),
        (last, "late", 1),
    }
