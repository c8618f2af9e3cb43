"""What the page says of outcomes, on a lake that can be read by hand."""

import pytest

from lstmrec.lake.store import Lake
from lstmrec.report.outcomes import of_outcomes
from lstmrec.report.parts import Section
from tests.report.planted import MONDAY, TUESDAY


@pytest.fixture(scope="module")
def tuesday(planted: Lake) -> Section:
    return of_outcomes(planted, TUESDAY, n_runs=14)


def test_the_headline_is_of_the_lists_that_were_shown_to_all(tuesday: Section) -> None:
    assert tuesday.note.startswith("Lists of 2026-01-26, by the events up to 2026-01-27.")
    assert tuesday.tiles == {"click-through": "50.00%", "users with a click": "100.00%"}


def test_click_through_is_drawn_by_day_place_source_and_slice_where_anybody_was_shown_it(
    tuesday: Section,
) -> None:
    by_day, *parts = tuesday.charts
    assert [(row["lists of"], row["click-through"], row["places"]) for row in by_day.rows] == [
        ("2026-01-25", 0.25, 4),
        ("2026-01-26", 0.5, 6),
    ]
    drawn = {
        chart.title: [tuple(row.values())[:-1] for row in chart.rows]  # all but the series
        for chart in parts
    }
    assert drawn == {
        "Click-through by place": [(1, 1.0, None, None, 2), (2, 0.5, 0.1, 0.9, 2)],
        "Click-through by source": [("model", 0.75, 0.5, 0.9, 4)],
        "Click-through by slice": [("cold_user", 0.25, 0.1, 0.4, 3)],
    }


def test_the_table_has_the_lists_that_were_not_shown_after_those_that_were(tuesday: Section) -> None:
    (figures,) = tuesday.tables
    assert [(row["lists"], row["metric"], row["value"], row["over"]) for row in figures.rows] == [
        ("shown", "click_through", "0.5000 (0.2500 to 0.7500)", 6),
        ("shown", "hit_rate at 1", "1.0000", 2),
        ("shown", "users_with_click", "1.0000", 2),
        ("previous", "click_through_ips", "0.1250 (0.0000 to 0.3000)", 3),
    ]


def test_a_first_measurement_has_no_trend_and_none_yet_is_told_in_words(planted: Lake, lake: Lake) -> None:
    assert of_outcomes(planted, MONDAY, n_runs=14).charts == []
    assert of_outcomes(lake, TUESDAY, n_runs=14).note == "None were measured yet; see measure_outcomes."
