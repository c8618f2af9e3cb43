"""What a log can be wrong in, and what then happens: a clear stop with nothing written, or quarantine."""

import base64
import gzip
import hashlib
import json
from pathlib import Path

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


def test_a_field_that_no_file_has_is_named_with_a_file_and_what_it_has(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = dict.fromkeys(("event_id", "device_id", "sent_ts", "received_ts", "user_agent"))
    log = Log(
        spark, tmp_path, {"source": {**SOURCE, "format": "csv", "event_fields": {**fields, "item_id": "sku"}}}
    )
    log.write(
        "date=2026-01-30/a.csv", "user_id,item,event_type,created_ts\nann,a,view,2026-01-30T10:00:00Z\n"
    )
    said = refusal(log, capsys)
    assert "source.event_fields.item_id: no field sku in any of 1 new files" in said
    assert "date=2026-01-30/a.csv, which has user_id, item, event_type, created_ts" in said


def test_a_large_batch_that_all_lacks_one_thing_stops_and_a_small_one_is_quarantined(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log(spark, tmp_path, {"source": SOURCE})
    log.write("date=2026-01-29/few.json", lines(*(click(event_id=f"f{n}", item_id=None) for n in range(3))))
    log.ingest()
    assert log.books() == {"rows_in": 3, "missing_item": 3}
    log.write(
        "date=2026-01-30/many.json", lines(*(click(event_id=f"m{n}", item_id=None) for n in range(1000)))
    )
    said = refusal(log, capsys)
    assert "each of 1000 rows is a missing_item" in said
    assert "event_fields.item_id" in said


def test_every_odd_row_has_its_outcome(spark: SparkSession, tmp_path: Path) -> None:
    log = Log(spark, tmp_path, {"source": SOURCE})
    odd = ["a/b#c|d", "ü 🛒", 'say "hi"\\', "x" * 512]
    sound = [click(event_id=name, user_id=name, item_id=name) for name in odd]
    huge, far = click(event_id="y" * 10_000), click(event_id="far", received_ts="9999-12-31T00:00:00Z")
    not_utf8 = b'{"event_id": "\xff\xfe"}'
    content = lines(*sound, huge, far).encode() + not_utf8 + b"\n\n" + b'{"note": "' + b"z" * 70_000 + b'"}\n'
    log.write("date=2026-01-30/odd.json", content)
    log.write("date=2026-01-30/crlf.json", lines(click(event_id="crlf")).replace("\n", "\r\n"))
    log.write("date=2026-01-30/empty.json", "")
    log.ingest()
    assert {row[c.EVENT_KEY] for row in log.events()} == {f"shop/{name}" for name in (*odd, "crlf")}
    assert {row[c.SESSION_USER] for row in log.events()} == {*odd, "ann"}
    assert log.rejected() == {
        ("oversize_id", json.dumps(huge)),
        ("impossible_time", json.dumps(far)),
        ("not_utf8", base64.b64encode(not_utf8).decode()),
        ("malformed_json", ""),
        ("oversize_payload", json.dumps({"note": "z" * 70_000})),
    }
    assert log.books() == {
        "rows_in": 10, "accepted": 5, "oversize_id": 1, "impossible_time": 1, "not_utf8": 1,
        "malformed_json": 1, "oversize_payload": 1,
    }  # fmt: skip


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
