"""What the page says of lists, on a lake that can be counted by hand."""

import pytest
from pyspark.sql import SparkSession

from lstmrec.lake.store import Lake
from lstmrec.report.lists import concentration, of_gate, of_lists, of_samples
from lstmrec.report.parts import Section
from tests.report.planted import EVIL, MONDAY, TUESDAY


@pytest.fixture(scope="module")
def tuesday(planted: Lake) -> Section:
    return of_lists(planted, TUESDAY, n_runs=14)


def test_each_verdict_is_told_with_what_to_do_where_it_is_not_met(planted: Lake) -> None:
    section = of_gate(planted, TUESDAY)
    assert section.tiles == {"rules met": "2 of 3"}
    assert [table.title for table in section.tables] == [
        "Not published: the lists before stay current",
        "Published",
    ]
    assert section.tables[0].rows == [
        {"rule": "short lists", "found": "2", "allowed": "none", "verdict": "not met: look at short lists"},
        {"rule": "users", "found": "2", "allowed": "none", "verdict": "met"},
    ]


def test_a_day_without_lists_is_told_in_words(planted: Lake, lake: Lake) -> None:
    assert of_gate(planted, MONDAY).note == "No lists were made for 2026-01-26; see score_recommendations."
    assert of_gate(lake, TUESDAY).note == "No lists were made yet; see score_recommendations."
    assert (
        of_lists(lake, TUESDAY, n_runs=14).note == "No lists were published yet; see score_recommendations."
    )
    assert (
        of_samples(lake, TUESDAY, n_users=5).note == "No lists were published yet; see score_recommendations."
    )
    assert of_samples(planted, TUESDAY, n_users=0).note == "None: report.sample_users is 0."


def test_places_are_counted_by_source_run_and_rank(tuesday: Section) -> None:
    assert tuesday.tiles == {"users": 2, "places": 6, "items in some list": 4, "items known": 4}
    by_run, by_rank, *_ = tuesday.charts
    assert by_run.rows == [
        {"run date": "2026-01-26", "places": 1, "source": "model"},
        {"run date": "2026-01-27", "places": 3, "source": "model"},
        {"run date": "2026-01-27", "places": 2, "source": "popular"},
        {"run date": "2026-01-27", "places": 1, "source": "explore"},
    ]
    assert by_rank.rows == [
        {"rank": 1, "places": 2, "source": "model"},
        {"rank": 2, "places": 1, "source": "model"},
        {"rank": 2, "places": 1, "source": "explore"},
        {"rank": 3, "places": 2, "source": "popular"},
    ]


def test_longer_lists_reach_more_of_the_items_that_are_known(tuesday: Section) -> None:
    reached = tuesday.charts[2]
    assert [(row["length of the lists"], row["share of items"], row["items"]) for row in reached.rows] == [
        (1, 1 / 4, 1),
        (2, 2 / 4, 2),
        (3, 4 / 4, 4),
    ]


def test_the_most_frequent_items_have_their_share_of_places_and_of_peoples_events(tuesday: Section) -> None:
    curves = tuesday.charts[3]
    held = {(row["of"], row["share of items"]): row["share of the whole"] for row in curves.rows}
    # a and b come twice, c and d once; people had a three times and b once
    expected = {"lists": (2 / 6, 4 / 6, 5 / 6, 1.0), "events": (3 / 4, 1.0, 1.0, 1.0)}
    for kind, shares in expected.items():
        told = [held[kind, share] for share in (0.25, 0.5, 0.75, 1.0)]
        assert told == pytest.approx(shares), kind


def test_concentration_is_that_of_its_docstring(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(item,) for item in "aaabbc"], "item_id string")
    assert concentration(rows, 4, (0, 0.25, 0.5, 0.75, 1)) == pytest.approx([0, 1 / 2, 5 / 6, 1, 1])
    nothing = spark.createDataFrame([], "item_id string")
    assert concentration(nothing, 4, (0, 1)) == [0, 0]


def test_sample_lists_have_titles_and_reasons_in_words(planted: Lake) -> None:
    section = of_samples(planted, TUESDAY, n_users=5)
    lists = {table.title: table.rows for table in section.tables}
    assert set(lists) == {"User u1", "User u2"}
    told = [(row["rank"], row["title"], row["source"], row["reason"]) for row in lists["User u1"]]
    because = "Because you had Bees & <b>Co</b>"
    assert told == [
        (1, EVIL, "model", because),
        (2, "Bees & <b>Co</b>", "model", because),
        (3, "c", "popular", "Popular now"),
    ]
    assert len(of_samples(planted, TUESDAY, n_users=1).tables) == 1
