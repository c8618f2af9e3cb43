"""Dense item indices: appended in order, never moved."""

from datetime import date

from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.prepare.item_index import new_items
from tests.prepare.factories import at, index, session, sessions

TODAY = date(2026, 1, 30)


def added(spark: SparkSession, known: str, *logs: str) -> list[tuple[str, int]]:
    shown = sessions(spark, *(session(f"user-{n}", at("10:00"), log) for n, log in enumerate(logs)))
    rows = new_items(shown, index(spark, known), TODAY).collect()
    return sorted((row[c.ITEM_ID], row[c.ITEM_INDEX]) for row in rows)


def test_first_items_are_numbered_from_one_in_order_of_id(spark: SparkSession) -> None:
    assert added(spark, "", "cab", "ac") == [("a", 1), ("b", 2), ("c", 3)]


def test_new_items_go_on_after_the_highest_and_known_ones_are_not_given_again(spark: SparkSession) -> None:
    assert added(spark, "xy", "zxa") == [("a", 3), ("z", 4)]


def test_no_new_item_adds_no_row(spark: SparkSession) -> None:
    assert added(spark, "ab", "ab") == []
