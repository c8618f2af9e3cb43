"""From raw lines to events: reasons for rejection, event types, keys and status."""

import json
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake.tables import EVENTS
from lstmrec.prepare import events as under_test
from lstmrec.prepare import records
from tests.prepare.factories import click, lines


def check(spark: SparkSession, config: Config, *payloads: Any, **changes: Any) -> DataFrame:
    source = config.source.model_copy(update=changes)
    found = records.from_json(lines(spark, *payloads), source, config.ingest)
    return under_test.check(found, source, config.ingest)


def identify(spark: SparkSession, config: Config, *payloads: Any) -> DataFrame:
    return under_test.identify(check(spark, config, *payloads), config.ingest)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (click(), None),
        ("", "malformed_json"),
        ("not json", "malformed_json"),
        ('{"event_id": "e1", "item_id"', "malformed_json"),
        ('"text"', "malformed_json"),
        (json.dumps([click()]), "malformed_json"),
        (click(user_agent="x" * 70_000), "oversize_payload"),
        (click(user_id=None), "missing_user"),
        (click(user_id="  "), "missing_user"),
        (click(user_id=None, device_id="d1"), None),
        (click(item_id=None), "missing_item"),
        (click(event_type=None), "unknown_event_type"),
        (click(event_type="scroll"), "unknown_event_type"),
        (click(created_ts=None, sent_ts=None, received_ts=None), "missing_time"),
        (click(received_ts="yesterday"), "impossible_time"),
        (click(received_ts="1970-01-01T00:00:00Z"), "impossible_time"),
        (click(created_ts="9999-12-31T00:00:00Z", sent_ts=None), None),
        (click(created_ts="1970-01-01T00:00:00Z", sent_ts=None, received_ts=None), "impossible_time"),
        (click(item_id=7), None),
        (click(item_id="x" * 513), "oversize_id"),
        (click(item_id="x" * 512), None),
        (click(item_id="undefined"), "missing_item"),
    ],
)
def test_a_line_is_an_event_or_has_the_reason_why_not(
    spark: SparkSession, config: Config, payload: Any, reason: str | None
) -> None:
    (row,) = check(spark, config, payload).select(c.REASON).collect()
    assert row[c.REASON] == reason


def test_text_is_trimmed_and_an_empty_one_is_a_null(spark: SparkSession, config: Config) -> None:
    (row,) = check(spark, config, click(event_id=" e1 ", device_id="", user_agent=" ")).collect()
    assert (row[c.EVENT_ID], row[c.DEVICE_ID], row[c.USER_AGENT]) == ("e1", None, None)


def test_types_are_renamed_weighted_or_left_out_and_others_are_unknown(
    spark: SparkSession, config: Config
) -> None:
    payloads = [click(event_type=name) for name in ("PageView", "Buy", "Scroll", "view")]
    types = {"PageView": "view", "Buy": "buy", "Scroll": None}
    rows = check(spark, config, *payloads, event_types=types, event_weights={"buy": 10.0}).collect()
    assert [(r[c.EVENT_TYPE], r[c.WEIGHT], r[c.REASON]) for r in rows] == [
        ("view", 1.0, None),
        ("buy", 10.0, None),
        (None, 1.0, "ignored_type"),
        (None, 1.0, "unknown_event_type"),
    ]


def test_a_field_that_the_mapping_does_not_name_is_not_stored(spark: SparkSession, config: Config) -> None:
    row = identify(spark, config, click(email="ann@example.org")).select(*EVENTS.columns).collect()[0]
    assert "ann@example.org" not in str(row)


def test_the_key_is_the_producers_id_or_else_a_hash_of_content_alone(
    spark: SparkSession, config: Config
) -> None:
    rows = identify(
        spark,
        config,
        click(event_id="e9"),
        click(event_id=None),
        click(event_id=None, received_ts="2026-01-30T11:00:00Z"),
        click(event_id=None, item_id="b"),
    ).collect()
    keys = [row[c.EVENT_KEY] for row in rows]
    assert keys[0] == f"{config.source.site}/e9"
    assert keys[1] == keys[2] != keys[3]


def test_without_id_and_device_clock_the_time_of_receipt_tells_two_clicks_apart(
    spark: SparkSession, config: Config
) -> None:
    once, later = (f"2026-01-30T1{hour}:00:00Z" for hour in (0, 1))
    payloads = [
        click(event_id=None, created_ts=None, sent_ts=None, received_ts=t) for t in (once, once, later)
    ]
    keys = [row[c.EVENT_KEY] for row in identify(spark, config, *payloads).collect()]
    assert keys[0] == keys[1] != keys[2]


def test_a_microsecond_makes_another_content(spark: SparkSession, config: Config) -> None:
    times = ("2026-01-30T10:00:00.000000Z", "2026-01-30T10:00:00.000001Z")
    rows = identify(spark, config, *(click(event_id=None, created_ts=time) for time in times)).collect()
    assert rows[0][c.PAYLOAD_HASH] != rows[1][c.PAYLOAD_HASH]
    assert rows[0][c.EVENT_KEY] != rows[1][c.EVENT_KEY]


def test_the_session_user_is_the_device_where_there_is_one(spark: SparkSession, config: Config) -> None:
    rows = (
        identify(spark, config, click(), click(event_id="e2", device_id="d1")).orderBy(c.EVENT_KEY).collect()
    )
    assert [row[c.SESSION_USER] for row in rows] == ["ann", "d1"]


def test_late_is_longer_than_three_days_and_exactly_three_is_not(spark: SparkSession, config: Config) -> None:
    rows = identify(
        spark,
        config,
        click(event_id="1", sent_ts=None, received_ts="2026-02-02T10:00:00Z"),
        click(event_id="2", sent_ts=None, received_ts="2026-02-02T10:00:00.000001Z"),
    )
    assert [row[c.STATUS] for row in rows.orderBy(c.EVENT_KEY).collect()] == ["accepted", "late"]


def test_a_bot_is_flagged_by_its_agent(spark: SparkSession, config: Config) -> None:
    rows = identify(spark, config, click(), click(event_id="e2", user_agent="Googlebot/2.1"))
    assert [row[c.IS_BOT] for row in rows.orderBy(c.EVENT_KEY).collect()] == [False, True]
