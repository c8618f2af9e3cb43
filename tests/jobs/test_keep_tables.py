"""Upkeep between nights: rows stay, a night after it goes on, also where it took changes nobody had read."""

from pathlib import Path

import pytest
import yaml
from pyspark.sql import SparkSession

from lstmrec.lake import tables as t
from lstmrec.lake.store import Lake
from tests.jobs.nights import Nights, click
from tests.jobs.shop import job

pytestmark = pytest.mark.slow

FIRST = [click("1", 0), click("2", 10), click("3", 50)]
SECOND = [click("4", 30), click("1", 0, 1)]
"""Bridges two sessions, and brings a duplicate."""


@pytest.fixture
def nights(spark: SparkSession, tmp_path: Path) -> Nights:
    """A lake after its first night, whose upkeep keeps no old version."""
    made = Nights(spark, tmp_path)
    conf = made.folder / "own.yaml"
    conf.write_text(yaml.safe_dump(yaml.safe_load(conf.read_text()) | {"upkeep": {"retention_days": 0}}))
    made.drop("first", FIRST)
    made.run()
    return made


def data_files(nights: Nights, table: str) -> list[str]:
    return sorted(path.name for path in (nights.folder / "lake" / table).glob("*/*.parquet"))


def session_items(nights: Nights) -> list[int]:
    return [row["n_events"] for row in nights.rows(t.SESSIONS)]


def test_a_night_after_upkeep_cuts_only_what_is_new(nights: Nights) -> None:
    before = nights.tables()
    job("keep_tables")(nights.flags)
    assert nights.tables() == before
    job("build_sessions")(nights.flags)
    assert nights.tables() == before
    nights.drop("second", SECOND)
    nights.run()
    assert session_items(nights) == [4]
    assert nights.booked("build_sessions", "in_sessions") == 3 + 4  # the second night cut one session of four


def test_changes_that_upkeep_took_before_they_were_read_are_made_good_by_a_whole_cut(nights: Nights) -> None:
    nights.drop("second", [*SECOND, click("3", 50, 49)])  # replaces a stored row: the change feed has files
    job("ingest_events")(nights.flags)
    nights.drop("third", [click("5", 59)])
    job("ingest_events")(nights.flags)
    job("keep_tables")(nights.flags)
    assert len(data_files(nights, "events")) == 1
    job("build_sessions")(nights.flags)
    assert session_items(nights) == [5]


def test_what_a_killed_batch_is_compared_with_stays(nights: Nights) -> None:
    nights.drop("second", SECOND)
    job("ingest_events")(nights.flags)
    lake = Lake(nights.spark, str(nights.folder / "lake"), {})
    claims = lake.read(t.INGESTED_FILES).where("path LIKE '%second%'").collect()
    ((run_id, pinned),) = {(row["run_id"], row["events_version"]) for row in claims}
    books = lake.read(t.RUN_ACCOUNTING)
    lake.replace(t.RUN_ACCOUNTING, books.where(books.run_id != run_id))  # as if killed before its books
    job("keep_tables")(nights.flags)
    assert lake.read_version(t.EVENTS, pinned).count() == 3
    nights.run()
    assert session_items(nights) == [4]
