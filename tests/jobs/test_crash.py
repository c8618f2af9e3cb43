"""A night that is killed at any of its writes, and run again, leaves the tables of one that was not."""

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lstmrec.lake import tables as t
from tests.jobs import killer
from tests.jobs.nights import Nights, click, plain

pytestmark = pytest.mark.slow

CLAIM, QUARANTINE, EVENTS, SESSIONS = 1, 2, 3, 6  # the writes of a night, in their order
BOOKS = (4, 5, 7)
WRITES = 7
WRITTEN = (t.EVENTS, t.EVENTS_QUARANTINE, t.INGESTED_FILES, t.RUN_ACCOUNTING, t.SESSIONS)


# The second night bridges two sessions, displaces an event by its earlier copy and one by another
# content, takes a conflict out of quarantine, and brings junk.
FIRST = [
    click("1", 0, 20), click("2", 31), click("3", 2, 9, "b"), click("4", 3, 9), click("4", 3, 12, "c"), "junk"
]  # fmt: skip
SECOND = [click("5", 15), click("1", 0, 5), click("3", 2, 4, "d"), click("4", 3, 5, "c"), "more junk", "junk"]


@pytest.fixture(scope="module")
def first(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """A lake after its first night, with the second night's file in the log."""
    nights = Nights(spark, tmp_path_factory.mktemp("first"))
    nights.drop("first", FIRST)
    nights.run()
    nights.drop("second", SECOND)
    return nights


@pytest.fixture(scope="module")
def undisturbed(first: Nights, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    nights = copy(first, tmp_path_factory.mktemp("undisturbed") / "n")
    nights.run()
    return rows(nights)


def copy(nights: Nights, folder: Path) -> Nights:
    shutil.copytree(nights.folder, folder)
    return Nights(nights.spark, folder)


def rows(nights: Nights) -> dict[str, Any]:
    return {table.name: sorted(repr(plain(row)) for row in nights.rows(table)) for table in WRITTEN}


def run_killed(nights: Nights, at: int, where: str) -> subprocess.CompletedProcess[str]:
    return killer.run(at, where, nights.folder / "lake", ("ingest_events", "build_sessions"), nights.flags)


def test_a_night_has_so_many_writes_and_each_is_killed_below(first: Nights, tmp_path: Path) -> None:
    ran = run_killed(copy(first, tmp_path / "n"), WRITES + 1, "before")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == f"{WRITES} writes"


@pytest.mark.parametrize(
    ("at", "where"),
    [(at, "before") for at in range(1, WRITES + 1)]
    + [(at, "inside") for at in (QUARANTINE, EVENTS, SESSIONS)]
    + [pytest.param(at, "inside", marks=pytest.mark.deep) for at in (CLAIM, *BOOKS)],
)
def test_a_killed_night_that_is_run_again_leaves_the_tables_of_one_that_was_not(
    first: Nights, undisturbed: dict[str, Any], tmp_path: Path, at: int, where: str
) -> None:
    nights = copy(first, tmp_path / "n")
    ran = run_killed(nights, at, where)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    nights.run()
    assert rows(nights) == undisturbed


def test_the_undisturbed_night_is_what_it_is_meant_to_be(undisturbed: dict[str, Any]) -> None:
    (session,) = undisturbed["sessions"]
    assert "('a', 'd', 'c', 'a', 'a')" in session  # events 1, 3, 4, 5 and 2: one session where two were
    assert sum("'junk'" in row for row in undisturbed["events_quarantine"]) == 1
    displaced = [row for row in undisturbed["run_accounting"] if "displaced_events" in row]
    assert sorted(row.split("displaced_events', ")[1] for row in displaced) == [
        "'duplicate', 1)", "'id_conflict', 2)", "'rows_in', 3)"
    ]  # fmt: skip
