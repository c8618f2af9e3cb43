"""What the page says of rows and sessions, on a lake that can be counted by hand."""

import pytest

from lstmrec.lake.store import Lake
from lstmrec.report import traffic
from lstmrec.report.parts import Section
from lstmrec.report.summary import summary
from tests.report.planted import MONDAY, TUESDAY


def test_the_books_of_all_batches_of_a_date_are_added_up(planted: Lake) -> None:
    found = traffic.books(planted, TUESDAY)
    assert found == {
        "build_sessions": {"rows_in": 7, "in_sessions": 7},
        "ingest_events": {
            "rows_in": 10, "accepted": 7, "duplicate": 1, "malformed_json": 1, "missing_item": 1, "late": 0,
        },
    }  # fmt: skip
    line = next(
        line for line in summary(planted, TUESDAY, 3, 2).splitlines() if line.startswith("ingest_events")
    )
    assert " ".join(line.split()) == (
        "ingest_events 10 = accepted 7, duplicate 1, malformed_json 1, missing_item 1"
    )


@pytest.fixture(scope="module")
def rows(planted: Lake) -> Section:
    return traffic.of_rows(planted, TUESDAY, n_runs=14)


@pytest.fixture(scope="module")
def sessions(planted: Lake) -> Section:
    return traffic.of_sessions(planted, TUESDAY, n_days=30)


def test_every_outcome_has_its_share_of_the_rows_in(rows: Section) -> None:
    assert rows.tiles == {"rows into build_sessions": 7, "rows into ingest_events": 10}
    (books,) = rows.tables
    assert books.rows == [
        {"job": "build_sessions", "outcome": "in_sessions", "rows": 7, "share": "100.00%"},
        {"job": "ingest_events", "outcome": "accepted", "rows": 7, "share": "70.00%"},
        {"job": "ingest_events", "outcome": "duplicate", "rows": 1, "share": "10.00%"},
        {"job": "ingest_events", "outcome": "malformed_json", "rows": 1, "share": "10.00%"},
        {"job": "ingest_events", "outcome": "missing_item", "rows": 1, "share": "10.00%"},
    ]


def test_the_raw_log_is_drawn_by_run_date_with_all_reasons_of_quarantine_together(
    planted: Lake, rows: Section
) -> None:
    (drawn,) = rows.charts
    assert drawn.rows == [
        {"run date": "2026-01-26", "rows": 10, "outcome": "accepted"},
        {"run date": "2026-01-27", "rows": 7, "outcome": "accepted"},
        {"run date": "2026-01-27", "rows": 1, "outcome": "duplicate"},
        {"run date": "2026-01-27", "rows": 2, "outcome": "rejected"},
    ]
    assert traffic.of_rows(planted, MONDAY, n_runs=14).charts == []  # a first run has none before it


def test_sessions_are_counted_up_to_the_run_date(planted: Lake, sessions: Section) -> None:
    told = {"sessions": 3, "users": 3, "median events": 3, "median minutes": 2, "by bots": 1}
    assert sessions.tiles == told
    assert traffic.of_sessions(planted, MONDAY, n_days=30).tiles["sessions"] == 1


def test_sessions_are_drawn_by_day_and_by_length(planted: Lake, sessions: Section) -> None:
    by_day, by_length = sessions.charts
    assert by_day.rows == [
        {"day": "2026-01-26", "sessions": 1, "by": "people"},
        {"day": "2026-01-27", "sessions": 1, "by": "people"},
        {"day": "2026-01-27", "sessions": 1, "by": "bots"},
    ]
    lengths = {row["events"]: row["sessions"] for row in by_length.rows}
    assert lengths == {
        "1": 1, "2 to 5": 1, "6 to 10": 1, "11 to 20": 0, "21 to 50": 0, "51 to 100": 0, "over 100": 0,
    }  # fmt: skip
    last_day, _ = traffic.of_sessions(planted, TUESDAY, n_days=1).charts
    assert {row["day"] for row in last_day.rows} == {"2026-01-27"}


def test_a_lake_without_tables_is_told_in_words(lake: Lake) -> None:
    for section in (traffic.of_rows(lake, TUESDAY, 14), traffic.of_sessions(lake, TUESDAY, 30)):
        assert section.note
        assert not section.tiles and not section.charts and not section.tables
