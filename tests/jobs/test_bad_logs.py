"""What a log can be wrong in, and what then happens: a clear stop with nothing written, or quarantine."""

import base64
import gzip
import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.lake import tables as t
from tests.jobs.logs import Log
from tests.prepare.factories import click

pytestmark = pytest.mark.slow

SOURCE = {"site": "shop"}


def lines(*records: dict[str, object]) -> str:
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)


def refusal(log: Log, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        log.ingest()
    assert stopped.value.code == 2
    (line,) = (li for li in capsys.readouterr().err.splitlines() if li.startswith("ingest_events: "))
    return line


def test_a_file_that_is_cut_off_stops_the_night_and_the_whole_one_completes_it(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log(spark, tmp_path, {"source": SOURCE})
    whole = gzip.compress(
        lines(*(click(event_id=f"e{n}", item_id=f"i{n * 7919}") for n in range(5000))).encode()
    )
    log.write("date=2026-01-30/sound.json", lines(click(event_id="sound")))
    log.write("date=2026-01-30/cut.json.gz", whole[: len(whole) // 2])
    said = refusal(log, capsys)
    assert "source.events: file:" in said
    assert "/date=2026-01-30/cut.json.gz cannot be read" in said
    assert "put the whole file there or take it away" in said
    assert log.rows(t.EVENTS) == log.rows(t.INGESTED_FILES) == []

    log.write("date=2026-01-30/cut.json.gz", whole)
    log.ingest()
    assert log.books() == {"rows_in": 5001, "accepted": 5001}


def test_a_parquet_file_that_is_cut_off_stops_the_night(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log(spark, tmp_path, {"source": {**SOURCE, "format": "parquet"}})
    pq.write_table(pa.table({"item_id": ["a"]}), tmp_path / "whole.parquet")
    log.write("date=2026-01-30/cut.parquet", (tmp_path / "whole.parquet").read_bytes()[:-9])
    assert "/date=2026-01-30/cut.parquet cannot be read: cut off" in refusal(log, capsys)
    assert log.rows(t.EVENTS) == log.rows(t.INGESTED_FILES) == []


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_field_that_no_file_has_is_named_with_a_file_and_what_it_has(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    fields = dict.fromkeys(("event_id", "device_id", "sent_ts", "received_ts", "user_agent"))
    own = {"format": form, "event_fields": {**fields, "item_id": "sku"}}
    log = Log(spark, tmp_path, {"source": {**SOURCE, **own}})
    row = {"user_id": "ann", "item": "a", "event_type": "view", "created_ts": "2026-01-30T10:00:00Z"}
    file = f"date=2026-01-30/a.{form}"
    log.write(file, f"{','.join(row)}\n{','.join(row.values())}\n")
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist([row]), log.log / file)
    said = refusal(log, capsys)
    assert "source.event_fields.item_id: no field sku in any of 1 new files" in said
    assert f"{file}, which has user_id, item, event_type, created_ts; name one of these, or null" in said


@pytest.mark.parametrize(
    ("changes", "line", "reason", "keys"),
    [
        ({}, click(item_id=None), "missing_item", "event_fields.item_id"),
        ({}, "ann;a;view;2026-01-30T10:00:00Z", "malformed_json", "format, explode and the paths"),
        ({"explode": "item_id"}, click(), "malformed_json", "format, explode and the paths"),
        ({"time_format": "epoch_millis"}, click(received_ts=1769767200), "impossible_time", "time_format"),
    ],
)
def test_a_large_batch_with_one_thing_wrong_in_each_row_stops(
    spark: SparkSession,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    line: dict[str, object] | str,
    reason: str,
    keys: str,
) -> None:
    log = Log(spark, tmp_path, {"source": {**SOURCE, **changes}})
    text = line if isinstance(line, str) else json.dumps(line)
    log.write("date=2026-01-30/many.json", f"{text}\n" * 1000)
    said = refusal(log, capsys)
    assert f"source: each of 1000 rows is a {reason}; the mapping seems not to be this log's, see " in said
    assert keys in said
    assert log.rows(t.EVENTS) == log.rows(t.INGESTED_FILES) == []


def test_a_small_batch_with_one_thing_wrong_in_each_row_is_quarantined(
    spark: SparkSession, tmp_path: Path
) -> None:
    log = Log(spark, tmp_path, {"source": SOURCE})
    log.write("date=2026-01-29/few.json", lines(*(click(event_id=f"f{n}", item_id=None) for n in range(999))))
    log.ingest()
    assert log.books() == {"rows_in": 999, "missing_item": 999}


def test_every_odd_row_has_its_outcome(spark: SparkSession, tmp_path: Path) -> None:
    log = Log(spark, tmp_path, {"source": SOURCE})
    odd = ["a/b#c|d", "ü 🛒", 'say "hi"\\', "x" * 512]
    sound = [click(event_id=name, user_id=name, item_id=name) for name in odd]
    huge, far = click(event_id="y" * 10_000), click(event_id="far", received_ts="9999-12-31T00:00:00Z")
    unsent = click(event_id="unsent", created_ts="9999-12-31T00:00:00Z", sent_ts=None)
    two = json.dumps(click(event_id="one")) + json.dumps(click(event_id="two"))
    not_utf8 = b'{"event_id": "\xff\xfe"}'
    bad = [not_utf8, b"", two.encode(), b'{"note": "' + b"z" * 70_000 + b'"}']
    log.write("date=2026-01-30/odd.json", lines(*sound, huge, far, unsent).encode() + b"\n".join(bad))
    log.write("date=2026-01-30/crlf.json", lines(click(event_id="crlf")).replace("\n", "\r\n"))
    log.write("date=2026-01-30/bom.json", "\ufeff" + lines(click(event_id="bom")))
    log.write(
        "date=2026-01-30/bom.json.gz", gzip.compress(f"\ufeff{json.dumps(click(event_id='gz'))}".encode())
    )
    log.write("date=2026-01-30/number.json", lines(click(event_id=7, user_id=7)))
    log.write("date=2026-01-30/empty.json", "")
    log.ingest()
    named = {row[c.EVENT_KEY]: row[c.SESSION_USER] for row in log.events()}
    assert named == {f"shop/{name}": name for name in (*odd, "7")} | dict.fromkeys(
        ("shop/crlf", "shop/bom", "shop/gz", "shop/unsent"), "ann"
    )
    assert log.rejected() == {
        ("oversize_id", json.dumps(huge)),
        ("impossible_time", json.dumps(far)),
        ("not_utf8", base64.b64encode(not_utf8).decode()),
        ("malformed_json", ""),
        ("malformed_json", two),
        ("oversize_payload", json.dumps({"note": "z" * 70_000})),
    }
    assert log.books() == {
        "rows_in": 15, "accepted": 9, "oversize_id": 1, "impossible_time": 1, "not_utf8": 1,
        "malformed_json": 2, "oversize_payload": 1,
    }  # fmt: skip


def test_a_file_of_csv_without_a_line_holds_no_row_and_lacks_no_field(
    spark: SparkSession, tmp_path: Path
) -> None:
    log = Log(spark, tmp_path, {"source": {**SOURCE, "format": "csv"}})
    log.write("date=2026-01-30/empty.csv.gz", gzip.compress(b""))
    log.ingest()
    assert log.books() == {"rows_in": 0}
    assert [row["path"] for row in log.rows(t.INGESTED_FILES)] == ["date=2026-01-30/empty.csv.gz"]


def test_of_a_line_of_a_hundred_megabytes_quarantine_keeps_start_size_and_hash(
    spark: SparkSession, tmp_path: Path
) -> None:
    log = Log(spark, tmp_path, {"source": SOURCE})
    huge = '{"note": "' + "z" * 100_000_000 + '"}'
    log.write("date=2026-01-30/a.json", f"{lines(click())}{huge}\n")
    log.ingest()
    assert log.books() == {"rows_in": 2, "accepted": 1, "oversize_payload": 1}
    sha = hashlib.sha256(huge.encode()).hexdigest()
    assert log.rejected() == {
        ("oversize_payload", f"{huge[: 1 << 20]} [cut off: 100000012 bytes, sha256 {sha}]")
    }
