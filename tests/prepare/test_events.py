"""From raw lines to events: reasons for rejection, keys, and duplicates that do not depend on arrival."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake.tables import EVENTS
from lstmrec.prepare import events as under_test
from tests.prepare.factories import click, lines


def parse(spark: SparkSession, config: Config, *payloads: Any) -> DataFrame:
    return under_test.parse(lines(spark, *payloads), config.source, config.ingest)


def identify(spark: SparkSession, config: Config, *payloads: Any) -> DataFrame:
    return under_test.identify(parse(spark, config, *payloads), config.ingest)


def stored(spark: SparkSession, *rows: DataFrame) -> DataFrame:
    nothing = spark.createDataFrame([], EVENTS.schema)
    return rows[0].select(*EVENTS.columns) if rows else nothing


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
    ],
)
def test_a_line_is_an_event_or_has_the_reason_why_not(
    spark: SparkSession, config: Config, payload: Any, reason: str | None
) -> None:
    (row,) = parse(spark, config, payload).select(c.REASON).collect()
    assert row[c.REASON] == reason


def test_text_is_trimmed_an_empty_one_is_a_null_and_types_get_our_names(
    spark: SparkSession, config: Config
) -> None:
    source = config.source.model_copy(update={"event_types": {"PageView": "view"}})
    raw = lines(spark, click(event_id=" e1 ", device_id="", event_type="PageView"))
    (row,) = under_test.parse(raw, source, config.ingest).collect()
    assert (row[c.EVENT_ID], row[c.DEVICE_ID], row[c.EVENT_TYPE]) == ("e1", None, "view")


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


def outcomes(batch: DataFrame, known: DataFrame) -> list[tuple[str, str, bool]]:
    """(item, outcome, whether from the batch), sorted."""
    settled = under_test.settle_duplicates(batch, known)
    return sorted((r[c.ITEM_ID], r[c.OUTCOME], r[c.SOURCE_FILE] is not None) for r in settled.collect())


def test_the_copy_received_first_wins_whatever_its_place(spark: SparkSession, config: Config) -> None:
    later = click(received_ts="2026-01-30T10:05:00Z")
    batch = identify(spark, config, later, click(), later)
    settled = under_test.settle_duplicates(batch, stored(spark))
    got = [(r[c.OUTCOME], r[c.RECEIVED_TS].minute) for r in settled.orderBy(c.RECEIVED_TS).collect()]
    assert got == [("accepted", 0), ("duplicate", 5), ("duplicate", 5)]


def test_another_payload_under_the_same_id_is_a_conflict_and_the_first_received_wins(
    spark: SparkSession, config: Config
) -> None:
    batch = identify(
        spark, config, click(item_id="b", received_ts="2026-01-30T10:05:00Z"), click(item_id="a")
    )
    assert outcomes(batch, stored(spark)) == [("a", "accepted", True), ("b", "id_conflict", True)]


def test_a_stored_row_wins_over_its_like_and_is_displaced_by_an_earlier_one(
    spark: SparkSession, config: Config
) -> None:
    known = stored(spark, identify(spark, config, click(item_id="a")))
    assert outcomes(identify(spark, config, click(item_id="a")), known) == [("a", "duplicate", True)]
    earlier = identify(spark, config, click(item_id="b", received_ts="2026-01-30T09:59:00Z"))
    assert outcomes(earlier, known) == [("a", "id_conflict", False), ("b", "accepted", True)]


def test_stored_rows_of_other_keys_do_not_come_back(spark: SparkSession, config: Config) -> None:
    known = stored(spark, identify(spark, config, click(event_id="e7")))
    assert outcomes(identify(spark, config, click(item_id="z")), known) == [("z", "accepted", True)]


@st.composite
def copies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Lines with few ids, so that many share one, with equal and with other payloads and times."""
    return [
        click(
            event_id=draw(st.sampled_from(["e1", "e2", "e3"])),
            item_id=draw(st.sampled_from(["a", "b"])),
            sent_ts=draw(st.sampled_from([None, "2026-01-30T10:00:00Z", "2026-01-30T10:00:01Z"])),
            received_ts=f"2026-01-30T10:0{draw(st.integers(1, 3))}:00Z",
        )
        for _ in range(draw(st.integers(1, 14)))
    ]


@given(log=copies(), cut=st.integers(0, 14))
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_batches_leave_the_events_of_one(
    spark: SparkSession, config: Config, log: list[dict[str, Any]], cut: int
) -> None:
    def after(known: DataFrame, batch: list[dict[str, Any]]) -> DataFrame:
        if not batch:
            return known
        settled = under_test.settle_duplicates(identify(spark, config, *batch), known)
        won = settled.where(F.col(c.OUTCOME).isin("accepted", "late")).select(*EVENTS.columns)
        kept = known.join(won.select(c.EVENT_KEY), on=c.EVENT_KEY, how="left_anti").select(*EVENTS.columns)
        rows = kept.unionByName(won).collect()
        return spark.createDataFrame(rows, EVENTS.schema)

    one = after(stored(spark), log)
    two = after(after(stored(spark), log[:cut]), log[cut:])
    assert sorted(one.collect()) == sorted(two.collect())


def test_quarantine_keeps_the_whole_line_once_with_its_number_of_copies(
    spark: SparkSession, config: Config
) -> None:
    bad = parse(spark, config, "not json", "not json", click(item_id=None)).where(F.col(c.REASON).isNotNull())
    got = {(r[c.PAYLOAD], r[c.REASON], r[c.N_COPIES]) for r in under_test.quarantine(bad).collect()}
    assert got == {("not json", "malformed_json", 2), (json.dumps(click(item_id=None)), "missing_item", 1)}
