"""Rows for the tests of prepare/: what a test does not name is filled in."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from lstmrec import columns as c
from lstmrec.lake.tables import EVENTS, SESSIONS

MIDNIGHT = datetime(2026, 1, 30, tzinfo=UTC)


def at(clock: str) -> datetime:
    """The instant of "HH:MM" or "HH:MM:SS" on the tests' day, or of "1d HH:MM" on a later one."""
    days, _, time = clock.rpartition("d ")
    parts = [int(part) for part in time.split(":")]
    hours, minutes, seconds = [*parts, 0, 0][:3]
    return MIDNIGHT + timedelta(days=int(days or 0), hours=hours, minutes=minutes, seconds=seconds)


def rows(spark: SparkSession, schema: StructType, values: Iterable[Mapping[str, Any]]) -> DataFrame:
    names = schema.fieldNames()
    return spark.createDataFrame([tuple(value.get(name) for name in names) for value in values], schema)


def event(user: str, key: str, time: datetime, **other: Any) -> dict[str, Any]:
    filled = {
        c.EVENT_KEY: key,
        c.SITE: "shop",
        c.SESSION_USER: user,
        c.ITEM_ID: f"item-{key}",
        c.EVENT_TYPE: "view",
        c.EVENT_TS: time,
        c.RECEIVED_TS: time,
        c.CLOCK: "device",
        c.STATUS: "accepted",
        c.IS_BOT: False,
        c.WEIGHT: 1.0,
        c.PAYLOAD_HASH: f"hash-{key}",
        c.EVENT_DATE: other.get(c.EVENT_TS, time).date(),
    }
    return filled | other


def events(spark: SparkSession, *values: Mapping[str, Any]) -> DataFrame:
    return rows(spark, EVENTS.schema, values)


def session(user: str, start: datetime, items: str, **other: Any) -> dict[str, Any]:
    """A session of `user` with one item a letter, a minute apart."""
    filled = {
        c.SESSION_ID: f"{user}-{start.isoformat()}",
        c.SITE: "shop",
        c.SESSION_USER: user,
        c.OPENED_TS: start,
        c.PART: 1,
        c.START_TS: start,
        c.END_TS: start + timedelta(minutes=len(items) - 1),
        c.N_EVENTS: len(items),
        c.ITEM_IDS: list(items),
        c.EVENT_TYPES: ["view"] * len(items),
        c.EVENT_TIMES: [start + timedelta(minutes=place) for place in range(len(items))],
        c.IS_BOT: False,
        c.SESSION_DATE: start.date(),
    }
    return filled | other


def sessions(spark: SparkSession, *values: Mapping[str, Any]) -> DataFrame:
    return rows(spark, SESSIONS.schema, values)


def index(spark: SparkSession, items: str) -> DataFrame:
    """The letters of `items` with indices 1, 2, ..."""
    numbered = [(item, place, date(2026, 1, 1)) for place, item in enumerate(items, start=1)]
    return spark.createDataFrame(numbered, f"{c.ITEM_ID} string, {c.ITEM_INDEX} int, added_on date")


def lines(spark: SparkSession, *payloads: Mapping[str, Any] | str) -> DataFrame:
    """Lines of a raw log, all of one file."""
    texts = [payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads]
    return spark.createDataFrame(
        [(text, "date=2026-01-30/part.json") for text in texts], f"{c.PAYLOAD} string, {c.SOURCE_FILE} string"
    )


def click(**other: Any) -> dict[str, Any]:
    """A sound line of a raw log."""
    filled = {
        "event_id": "e1",
        "user_id": "ann",
        "item_id": "a",
        "event_type": "view",
        "created_ts": "2026-01-30T10:00:00.000000Z",
        "sent_ts": "2026-01-30T10:00:00.000000Z",
        "received_ts": "2026-01-30T10:00:00.000000Z",
        "user_agent": "Mozilla/5.0",
    }
    return {name: value for name, value in (filled | other).items() if value is not None}
