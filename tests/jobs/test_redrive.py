"""Quarantined rows, corrected, become events: once, with books, and what is still wrong stays."""

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.lake import tables as t
from tests.jobs.logs import Log
from tests.jobs.shop import job
from tests.jobs.test_bad_logs import lines
from tests.prepare.factories import click

pytestmark = pytest.mark.slow


def test_corrected_rows_become_events_and_leave_the_quarantine(spark: SparkSession, tmp_path: Path) -> None:
    corrections = tmp_path / "corrections"
    log = Log(spark, tmp_path, {"source": {"site": "shop", "corrections": str(corrections)}})
    log.write(
        "date=2026-01-30/a.json",
        lines(
            click(event_id="1", item_id=None),
            click(event_id="2"),
            click(event_id="2", item_id="b", received_ts="2026-01-30T10:05:00.000000Z"),
            click(event_id="3", event_type="teleport"),
            click(event_id="4", user_id=None),
        )
        + "junk\n",
    )
    log.ingest()
    kept = {row[c.REASON]: row.asDict() for row in log.rows(t.EVENTS_QUARANTINE)}
    corrected = {
        "missing_item": click(event_id="1", item_id="mended"),
        "id_conflict": json.loads(kept["id_conflict"][c.PAYLOAD]) | {"event_id": "2b"},
        "unknown_event_type": click(event_id="3", event_type="beam"),  # is none either
        "missing_user": json.loads(kept["missing_user"][c.PAYLOAD]),  # as it was
    }
    rows = [
        {c.ROW_HASH: kept[reason][c.ROW_HASH], c.REASON: reason, c.PAYLOAD: json.dumps(payload)}
        for reason, payload in corrected.items()
    ]
    folder = corrections / "date=2026-01-31"
    folder.mkdir(parents=True)
    (folder / "mended.jsonl").write_text(lines(*rows))
    for _ in range(2):  # the second time nothing is new
        job("redrive_quarantine")(log.flags)
        events = {row[c.EVENT_KEY]: row[c.ITEM_ID] for row in log.events()}
        assert events == {"shop/1": "mended", "shop/2": "a", "shop/2b": "b"}
        assert log.rejected() == {
            ("malformed_json", "junk"),
            ("unknown_event_type", json.dumps(corrected["unknown_event_type"])),
            ("missing_user", kept["missing_user"][c.PAYLOAD]),
        }
        assert log.books("redrive_quarantine") == {
            "rows_in": 4, "accepted": 2, "unknown_event_type": 1, "missing_user": 1
        }  # fmt: skip


def test_without_a_folder_of_corrections_the_job_says_so(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log(spark, tmp_path, {"source": {"site": "shop"}})
    with pytest.raises(SystemExit) as stopped:
        job("redrive_quarantine")(log.flags)
    assert stopped.value.code == 2
    assert "source.corrections: is null; set it to the folder" in capsys.readouterr().err
