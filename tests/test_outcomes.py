"""Outcomes of planted lists and clicks, worked out by hand."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec import outcomes
from lstmrec.config import Config
from lstmrec.lake.list_tables import RECOMMENDATION_RUNS, RECOMMENDATIONS
from lstmrec.lake.store import Lake
from lstmrec.outcomes import Measured
from tests.planted_lists import Click, lists, plant, plant_lake
from tests.prepare.factories import MIDNIGHT, at

DAY = MIDNIGHT.date()
LIST_DATE = DAY - timedelta(days=1)
QUIET, LONELY, REFUSED, LONG = (DAY + timedelta(days=days) for days in (5, 10, 15, 20))
"""Days with lists of the day before; of those of REFUSED the gate did not let any through."""

ITEMS = {"ann": "abC", "bob": "deF", "cat": "ghI"}
LISTS = [
    *lists(LIST_DATE - timedelta(days=1), {"ann": "ax", "cat": "g"}),
    *(row for day in (DAY, QUIET, LONELY, LONG) for row in lists(day - timedelta(days=1), ITEMS)),
]
CLICKS: Sequence[Click] = [
    ("ann", at("00:00") - timedelta(seconds=1), "a", "view"),  # the last moment before the lists
    ("ann", at("10:00"), "z", "view"),
    ("ann", at("10:01"), "b", "view"),
    ("ann", at("10:02"), "b", "buy"),
    ("ann", at("1d 00:00"), "c", "view"),  # the first moment after the window
    ("bob", at("09:00"), "of no list", "view"),
    ("dan", at("08:00"), "a", "view"),  # dan has no list
    ("bob", at("10d 09:00"), "of no list", "buy"),
    ("cat", at("21d 12:00"), "g", "view"),
]
SEGMENTS = {"ann": "F", "bob": "M", "cat": "F"}
REFUSAL = {
    c.RUN_ID: "a run",
    c.RUN_DATE: REFUSED - timedelta(days=1),
    "is_published": False,
    c.MODEL_VERSION: "m",
    c.RULESET_VERSION: "r",
    "n_users": 1,
    "n_rows": 1,
    "rows_by_source": {"model": 1},
    "verdicts": [
        {"rule": "overlap", "value": 1.0, "limit": "none", "is_met": False, "told": ""},
        {"rule": "users", "value": 1.0, "limit": "none", "is_met": True, "told": ""},
    ],
}


@pytest.fixture(scope="module")
def planted(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(spark, str(tmp_path_factory.mktemp("outcomes") / "lake"), {})
    plant_lake(lake, LISTS, CLICKS, SEGMENTS)
    plant(lake, RECOMMENDATION_RUNS, [REFUSAL])
    return lake


def measure(planted: Lake, config: Config, run_date: date, **rules: Any) -> Measured:
    own = {
        "outcomes": config.outcomes.model_copy(update=rules),
        "evaluation": config.evaluation.model_copy(
            update={"ks": (1, 2, 5), "segment": "gender", "cold_user_items": 0, "history_bands": (4,)}
        ),
        "scoring": config.scoring.model_copy(update={"n": 3}),
    }
    return outcomes.measure(Lake(planted.spark, planted.root, {}), config.model_copy(update=own), run_date)


@pytest.fixture(scope="module")
def measured(planted: Lake, config: Config) -> Measured:
    return measure(planted, config, DAY)


def told(measured: Measured, metric: str, k: int = 0, **where: Any) -> tuple[Any, ...]:
    """value, n and n_offered of the one row; slice and source are all, and rank 0, if not told."""
    place = {c.SLICE: "all", c.SOURCE: "all", c.RANK: 0, "metric": metric, "k": k, "policy": "shown"} | where
    (row,) = [row for row in measured.rows if all(row[name] == value for name, value in place.items())]
    return row["value"], row["n"], row["n_offered"]


def test_each_rate_is_what_it_is_by_hand(measured: Measured) -> None:
    got = measured
    # ann and bob came, cat did not: six of nine places, two of three lists were shown
    assert told(got, "click_through") == (1 / 6, 6, 9)
    assert told(got, "purchase_rate") == (1 / 6, 6, 9)
    assert told(got, "users_with_click") == (1 / 2, 2, 3)
    assert told(got, "repeats_shown") == (1 / 3, 3, 9)  # bob had no list before
    assert told(got, "seconds_to_click") == (60, 1, 9)
    assert told(got, "hit_rate", 1) == (0, 2, 3)
    assert told(got, "hit_rate", 2) == (1 / 2, 2, 3)
    assert told(got, "events_on_list") == (2 / 4, 4, 4)
    assert not [row for row in got.rows if row["k"] == 5]  # lists have three places
    assert got.places == {"clicked": 1, "not_clicked": 5, "not_shown": 3}

    assert told(got, "click_through", source="model") == (1 / 4, 4, 6)
    assert told(got, "click_through", source="popular") == (0, 2, 3)
    assert [told(got, "click_through", rank=rank) for rank in (1, 2, 3)] == [
        (0, 2, 3),
        (1 / 2, 2, 3),
        (0, 2, 3),
    ]
    assert told(got, "users_with_click", slice="gender=F") == (1, 1, 2)
    assert told(got, "users_with_click", slice="gender=M") == (0, 1, 1)
    assert told(got, "users_with_click", slice="history_1_to_4") == (1, 1, 1)  # ann had had a
    assert told(got, "users_with_click", slice="cold_user") == (0, 1, 2)
    assert got.n_lists == {"all": 3, "cold_user": 2, "history_1_to_4": 1, "history_over_4": 0} | {
        "gender=F": 2,
        "gender=M": 1,
    }


def test_an_interval_is_of_users_and_absent_where_all_are_alike(measured: Measured) -> None:
    (row,) = [
        r
        for r in measured.rows
        if (r["metric"], r["slice"], r["source"], r["rank"]) == ("click_through", "all", "all", 0)
    ]
    # ann clicked on 1 of 3, 1/2 above the mean, bob on none, 1/2 below: +- 1.96 x sqrt(2 x 1/2) / 6, cut at 0
    assert (row["ci_low"], row["ci_high"]) == (0, pytest.approx(1 / 6 + 1.959964 / 6))
    assert row["n_users"] == 2
    alike = [row for row in measured.rows if (row["metric"], row["k"]) == ("hit_rate", 1)]
    assert {(row["ci_low"], row["ci_high"]) for row in alike} == {(None, None)}


def test_each_row_says_which_lists_it_is_of_and_what_was_read(measured: Measured) -> None:
    for row in measured.rows:
        assert (row[c.RUN_DATE], row["list_date"], row["window_days"]) == (DAY, LIST_DATE, 1)
        assert (row[c.MODEL_VERSION], row[c.RULESET_VERSION]) == (f"model of {LIST_DATE}", "rules")
        assert set(row["table_versions"]) == {"recommendations", "sessions", "users"}
        assert row["policy"] == "shown"  # nothing was drawn by chance


def test_on_a_day_without_events_every_rate_is_absent_with_its_count(planted: Lake, config: Config) -> None:
    got = measure(planted, config, QUIET)
    told_of = {(row["value"], row["ci_low"], row["ci_high"], row["n"], row["n_users"]) for row in got.rows}
    assert told_of == {(None, None, None, 0, 0)}
    assert told(got, "click_through") == (None, 0, 9)
    assert told(got, "users_with_click", slice="gender=F") == (None, 0, 2)
    assert got.places == {"clicked": 0, "not_clicked": 0, "not_shown": 9}


def test_events_of_items_never_recommended_are_no_clicks_and_lists_never_shown_count_as_offered_alone(
    planted: Lake, config: Config
) -> None:
    got = measure(planted, config, LONELY)  # bob alone came, and bought what was in no list
    assert told(got, "click_through") == told(got, "purchase_rate") == (0, 3, 9)
    assert told(got, "events_on_list") == (0, 1, 1)
    assert told(got, "users_with_click") == (0, 1, 3)
    assert told(got, "users_with_click", slice="gender=F") == (None, 0, 2)
    assert told(got, "seconds_to_click") == (None, 0, 9)


def test_only_events_of_the_types_named_are_clicks_and_purchases(planted: Lake, config: Config) -> None:
    got = measure(planted, config, DAY, click_types=("buy",), purchase_types=())
    assert told(got, "seconds_to_click") == (120, 1, 9)
    assert told(got, "events_on_list") == (2 / 4, 4, 4)
    assert "purchase_rate" not in {row["metric"] for row in got.rows}


def test_a_longer_window_ends_with_newer_lists(planted: Lake, config: Config) -> None:
    next_day = LONG + timedelta(days=1)
    assert told(measure(planted, config, next_day, window_days=2), "users_with_click") == (1, 1, 3)
    plant(planted, RECOMMENDATIONS, lists(LONG, {"ann": "xyz"}))
    assert told(measure(planted, config, next_day, window_days=2), "users_with_click") == (None, 0, 3)


def test_a_date_without_lists_has_no_row_and_the_gates_reasons(planted: Lake, config: Config) -> None:
    got = measure(planted, config, REFUSED)
    assert (got.rows, got.places, got.refused_for) == ([], {}, ["overlap"])
    assert set(got.n_lists.values()) == {0}
    before_any_list = measure(planted, config, DAY - timedelta(days=9))
    assert (before_any_list.rows, before_any_list.refused_for) == ([], [])
