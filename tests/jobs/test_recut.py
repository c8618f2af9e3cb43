"""What build_sessions cuts anew: nothing when nothing is new, past days and everything when it must."""

from pathlib import Path

import pytest
import yaml
from pyspark.sql import SparkSession

from lstmrec.lake import tables as t
from lstmrec.lake.store import Lake
from tests.jobs.nights import Nights, click
from tests.jobs.shop import job

pytestmark = pytest.mark.slow


@pytest.fixture
def nights(spark: SparkSession, tmp_path: Path) -> Nights:
    """A lake with two sessions, of events 1, 2 and of event 3."""
    made = Nights(spark, tmp_path)
    made.drop("first", [click("1", 0), click("2", 10), click("3", 50)])
    made.run()
    return made


def version(nights: Nights) -> int:
    return Lake(nights.spark, str(nights.folder / "lake"), {}).version(t.SESSIONS)


def test_a_run_without_new_events_writes_no_session_and_the_same_books(nights: Nights) -> None:
    before, books = version(nights), nights.books("build_sessions")
    nights.run()
    assert version(nights) == before
    assert nights.books("build_sessions") == books == {"rows_in": 3, "in_sessions": 3, "late": 0}


def test_other_rules_cut_everything_anew(nights: Nights) -> None:
    conf = nights.folder / "own.yaml"
    settings = yaml.safe_load(conf.read_text())
    settings["sessions"]["gap_minutes"] = 5
    conf.write_text(yaml.safe_dump(settings))
    nights.run()
    assert sorted(row["n_events"] for row in nights.rows(t.SESSIONS)) == [1, 1, 1]


def test_from_a_day_on_spoilt_sessions_are_cut_anew_and_those_of_no_event_go(nights: Nights) -> None:
    sound = nights.tables().sessions
    lake = Lake(nights.spark, str(nights.folder / "lake"), {})
    spoilt = lake.read(t.SESSIONS).selectExpr(
        "* EXCEPT (session_id, session_user, is_bot)",
        "concat('x', session_id) AS session_id",
        "'nobody' AS session_user",
        "true AS is_bot",
    )
    lake.append(t.SESSIONS, spoilt)
    assert len(nights.tables().sessions) == 4
    job("build_sessions")([*nights.flags, "--from", "2026-02-20"])
    assert nights.tables().sessions == sound
