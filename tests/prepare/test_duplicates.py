"""Rows with one key: the event, its copies, and what contradicts it, whatever came first."""

from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake.tables import EVENTS
from lstmrec.prepare import duplicates
from tests.prepare.factories import click
from tests.prepare.test_events import identify

LATER, EARLIER = "2026-01-30T10:05:00Z", "2026-01-30T09:59:00Z"


def stored(spark: SparkSession, config: Config, *payloads: Any) -> DataFrame:
    if not payloads:
        return spark.createDataFrame([], EVENTS.schema)
    return identify(spark, config, *payloads).select(*EVENTS.columns)


def outcomes(batch: DataFrame, rivals: DataFrame) -> list[tuple[str, str, bool]]:
    """(item, outcome, whether it was stored), sorted."""
    settled = duplicates.settle(batch, rivals)
    return sorted((r[c.ITEM_ID], r[c.OUTCOME], r[c.IS_STORED]) for r in settled.collect())


def test_the_copy_received_first_wins_whatever_its_place(spark: SparkSession, config: Config) -> None:
    later = click(received_ts=LATER)
    settled = duplicates.settle(identify(spark, config, later, click(), later), stored(spark, config))
    got = [(r[c.OUTCOME], r[c.RECEIVED_TS].minute) for r in settled.orderBy(c.RECEIVED_TS).collect()]
    assert got == [("accepted", 0), ("duplicate", 5), ("duplicate", 5)]


def test_another_content_under_the_same_id_is_a_conflict_and_the_first_received_wins(
    spark: SparkSession, config: Config
) -> None:
    batch = identify(spark, config, click(item_id="b", received_ts=LATER), click(item_id="a"))
    got = outcomes(batch, stored(spark, config))
    assert got == [("a", "accepted", False), ("b", "id_conflict", False)]


def test_a_stored_row_wins_over_its_like(spark: SparkSession, config: Config) -> None:
    got = outcomes(identify(spark, config, click()), stored(spark, config, click()))
    assert got == [("a", "accepted", True), ("a", "duplicate", False)]


def test_a_stored_row_is_displaced_by_one_received_earlier(spark: SparkSession, config: Config) -> None:
    known = stored(spark, config, click(item_id="a"))
    copy = identify(spark, config, click(item_id="a", received_ts=EARLIER))
    assert outcomes(copy, known) == [("a", "accepted", False), ("a", "duplicate", True)]
    other = identify(spark, config, click(item_id="b", received_ts=EARLIER))
    assert outcomes(other, known) == [("a", "id_conflict", True), ("b", "accepted", False)]
