"""Logs of other layouts, by a mapping alone: small samples of each, ingested by the job."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import Row, SparkSession

from lstmrec import columns as c
from tests.jobs.logs import Log
from tests.jobs.shop import ROOT

pytestmark = pytest.mark.slow


def known(name: str) -> dict[str, Any]:
    """One of the mappings in conf/."""
    conf: dict[str, Any] = yaml.safe_load((ROOT / "conf" / f"{name}.yaml").read_text())
    return conf


def instant(clock: str, micros: int = 0) -> datetime:
    return datetime.fromisoformat(f"2026-01-30T{clock}+00:00") + timedelta(microseconds=micros)


def values(row: Row, *names: str) -> tuple[Any, ...]:
    return tuple(v.astimezone(UTC) if isinstance(v, datetime) else v for v in (row[name] for name in names))


def test_a_yoochoose_click_is_a_view_by_its_session(spark: SparkSession, tmp_path: Path) -> None:
    log = Log(spark, tmp_path, known("yoochoose"))
    seconds = instant("10:00:00").timestamp()
    lines = [
        "SessionId\tItemId\tTime",
        f"3\t214716935\t{seconds + 0.94:.2f}",
        f"3\t214832672\t{seconds + 60:.0f}",
    ]
    log.write("date=2026-01-30/a.tsv.gz", gzip.compress("\n".join(lines).encode()))
    log.write(
        "date=2026-01-31/b.tsv",
        f"ItemId\tTime\tSessionId\n7\t{seconds + 120}\t4\n7\t{seconds + 120}\t4\n8\t4\n",
    )
    log.ingest()
    assert [values(r, "device_id", "item_id", "event_type", "event_ts") for r in log.events()] == [
        ("3", "214716935", "view", instant("10:00:00", 940_000)),
        ("3", "214832672", "view", instant("10:01:00")),
        ("4", "7", "view", instant("10:02:00")),
    ]
    assert log.books() == {"rows_in": 5, "accepted": 3, "duplicate": 1, "malformed_csv": 1}
    assert log.rejected() == {("malformed_csv", "8\t4")}


def test_a_snowplow_event_is_of_the_product_in_its_context(spark: SparkSession, tmp_path: Path) -> None:
    log = Log(spark, tmp_path, known("snowplow"))
    event = {
        "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
        "event_name": "page_view",
        "domain_userid": "bc2e92ec6c204a14",
        "user_id": None,
        "user_ipaddress": "192.0.2.7",
        "collector_tstamp": "2026-01-30 10:00:10.500",
        "dvce_created_tstamp": "2026-01-30 09:00:00.000",
        "dvce_sent_tstamp": "2026-01-30 09:00:04.000",
        "useragent": "Mozilla/5.0",
        "contexts_com_shop_product_1": [{"sku": "SKU-1", "price": 3.5}, {"sku": "SKU-2"}],
    }
    ping = event | {"event_id": "2", "event_name": "page_ping"}
    buy = event | {"event_id": "3", "event_name": "transaction_item", "user_id": "ann"}
    nothing = event | {"event_id": "4", "contexts_com_shop_product_1": []}
    lines = "\n".join(map(json.dumps, (event, ping, buy, nothing)))
    log.write("run=2026-01-31-03-15-00/part-00000.json.gz", gzip.compress(lines.encode()))
    log.write("run=2026-02-01-03-15-00/part-00000.json", "of the next day")
    log.ingest()
    columns = ("event_key", "session_user", "user_id", "item_id", "event_type", "event_ts", "clock")
    device, time = "bc2e92ec6c204a14", instant("10:00:06", 500_000)
    assert [values(row, *columns) for row in sorted(log.events(), key=lambda r: r[c.EVENT_KEY])] == [
        ("shop/3", device, "ann", "SKU-1", "buy", time, "corrected"),
        (f"shop/{event['event_id']}", device, None, "SKU-1", "view", time, "corrected"),
    ]
    assert log.books() == {"rows_in": 4, "accepted": 2, "ignored_type": 1, "missing_item": 1}
    assert "192.0.2.7" not in str(log.events())


def test_each_item_of_a_ga4_event_is_an_event(spark: SparkSession, tmp_path: Path) -> None:
    log = Log(spark, tmp_path, known("ga4"))
    event = {
        "event_date": "20260130",
        "event_timestamp": int(instant("10:00:00", 123_456).timestamp() * 1_000_000),
        "event_name": "purchase",
        "event_params": [{"key": "page_location", "value": {"string_value": "https://shop.example/a"}}],
        "user_pseudo_id": "1234.5678",
        "device": {"category": "mobile"},
        "items": [{"item_id": "a", "price": 1}, {"item_id": "b"}, {"item_id": "(not set)"}],
    }
    start = {**event, "event_name": "session_start", "items": []}
    log.write("events_20260131.json", f"{json.dumps(event)}\n{json.dumps(start)}\n")
    log.ingest()
    columns = ("session_user", "item_id", "event_type", "weight", "event_ts", "clock")
    assert [values(row, *columns) for row in log.events()] == [
        ("1234.5678", item, "buy", 10.0, instant("10:00:00", 123_456), "device") for item in "ab"
    ]
    assert log.books() == {"rows_in": 4, "accepted": 2, "ignored_type": 1, "missing_item": 1}


def test_parquet_files_of_several_schemas_come_in_one_batch(spark: SparkSession, tmp_path: Path) -> None:
    fields = dict.fromkeys(("event_id", "device_id", "sent_ts", "received_ts", "user_agent"))
    fields |= {"user_id": "who.id", "item_id": "item", "event_type": "kind", "created_ts": "at"}
    log = Log(spark, tmp_path, {"source": {"format": "parquet", "event_fields": fields}})
    at = "TIMESTAMP'2026-01-30 10:00:00.000001'"
    queries = (
        f"SELECT named_struct('id', 7L) AS who, 1 AS item, 'view' AS kind, {at} AS at",
        f"SELECT 'view' AS kind, 'x' AS item, 3.5 AS price, named_struct('id', 'ann') AS who, {at} AS at",
        f"SELECT named_struct('id', 'bob') AS who, CAST(NULL AS STRING) AS item, 'view' AS kind, {at} AS at",
    )
    for hour, query in enumerate(queries):
        spark.sql(query).coalesce(1).write.parquet(str(log.log / "date=2026-01-31" / f"hour={hour}"))
    log.ingest()
    time = instant("10:00:00", 1)
    assert [values(row, "user_id", "item_id", "event_ts") for row in log.events()] == [
        ("7", "1", time),
        ("ann", "x", time),
    ]
    ((reason, payload),) = log.rejected()
    assert (reason, json.loads(payload)["who"]) == ("missing_item", {"id": "bob"})


def test_csv_without_a_header_is_read_by_the_columns_of_the_mapping(
    spark: SparkSession, tmp_path: Path
) -> None:
    fields = dict.fromkeys(("event_id", "device_id", "created_ts", "sent_ts", "user_agent"))
    fields |= {"user_id": "user", "item_id": "item", "event_type": "kind", "received_ts": "time"}
    csv = {"columns": ["user", "item", "kind", "time", "note"]}
    log = Log(spark, tmp_path, {"source": {"format": "csv", "csv": csv, "event_fields": fields}})
    rows = [
        'ann,"a,1",view,2026-01-30T10:00:00Z,"he said ""yes"""',
        "bob,b,view,2026-01-30T10:01:00Z,\r",
        "bob,b,view,2026-01-30T10:02:00Z",
        "",
    ]
    log.write("date=2026-01-31/a.csv", "\n".join(rows) + "\n")
    log.ingest()
    assert [values(row, "user_id", "item_id") for row in log.events()] == [("ann", "a,1"), ("bob", "b")]
    assert log.rejected() == {("malformed_csv", rows[2]), ("malformed_csv", "")}
