"""The quarantine as a set: a row once, whole, the earliest copy of a conflict, and what is let out again."""

import json

from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.prepare import duplicates, quarantine
from tests.prepare.factories import click, lines
from tests.prepare.test_duplicates import EARLIER, LATER, stored
from tests.prepare.test_events import check, identify


def test_a_rejected_line_is_kept_whole_and_once(spark: SparkSession, config: Config) -> None:
    without_item = click(item_id=None)
    rows = quarantine.rejected(check(spark, config, "junk", "junk", without_item, click())).collect()
    assert {(r[c.REASON], r[c.PAYLOAD], r[c.SOURCE_FILE]) for r in rows} == {
        ("malformed_json", "junk", "date=2026-01-30/part.json"),
        ("missing_item", json.dumps(without_item), "date=2026-01-30/part.json"),
    }
    assert len({r[c.ROW_HASH] for r in rows}) == 2


def test_a_conflict_is_kept_as_its_earliest_copy_to_the_microsecond(
    spark: SparkSession, config: Config
) -> None:
    first = "2026-01-30T10:01:00.000001Z"
    batch = identify(
        spark,
        config,
        click(item_id="a"),
        click(item_id="b", received_ts=LATER),
        click(item_id="b", received_ts=first),
    )
    (row,) = quarantine.conflicting(duplicates.settle(batch, stored(spark, config))).collect()
    assert row[c.REASON] == "id_conflict"
    assert json.loads(row[c.PAYLOAD]) == click(item_id="b", received_ts=first)


def test_a_displaced_event_becomes_a_conflict_and_the_one_that_won_is_redeemed(
    spark: SparkSession, config: Config
) -> None:
    lost = duplicates.settle(
        identify(spark, config, click(item_id="a"), click(item_id="b", received_ts=LATER)),
        stored(spark, config),
    )
    (kept,) = quarantine.conflicting(lost).collect()
    again = duplicates.settle(
        identify(spark, config, click(item_id="b", received_ts=EARLIER)),
        stored(spark, config, click(item_id="a")),
    )
    (displaced,) = quarantine.conflicting(again).collect()
    assert json.loads(displaced[c.PAYLOAD])["item_id"] == "a"
    (redeemed,) = quarantine.redeemed(again).collect()
    assert redeemed[c.ROW_HASH] == kept[c.ROW_HASH] != displaced[c.ROW_HASH]


def test_a_correction_without_a_payload_is_judged_as_it_stands(spark: SparkSession) -> None:
    sound = {"row_hash": "h1", "reason": "missing_item", "payload": "{}"}
    rows = quarantine.corrections(lines(spark, sound, "junk")).collect()
    assert [(r[c.ROW_HASH], r[c.REASON], r[c.PAYLOAD]) for r in rows] == [
        ("h1", "missing_item", "{}"),
        (None, None, "junk"),
    ]
