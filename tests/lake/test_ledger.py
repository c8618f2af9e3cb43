from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from lstmrec.errors import BadInput
from lstmrec.lake import accounting, ledger
from lstmrec.lake.ledger import Batch, LogFile
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import EVENTS

FRIDAY, SATURDAY = date(2026, 1, 30), date(2026, 1, 31)
JOB = "ingest_events"


def write(log: Path, name: str, content: str = "{}\n") -> LogFile:
    path = log / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return LogFile(name, len(content))


def batches(lake: Lake, run_date: date, *files: LogFile) -> list[Batch]:
    """What a run of its own, with nothing pinned yet, would ingest."""
    return list(ledger.pending(Lake(lake.spark, lake.root, {}), JOB, run_date, files))


def write_books(lake: Lake, batch: Batch, job: str = JOB) -> None:
    accounting.record(lake, batch.run_id, batch.run_date, job, 1, {"accepted": 1})


def write_event(lake: Lake) -> None:
    """A new version of `events`; an empty write would make none."""
    at = datetime(2026, 1, 30, 9, tzinfo=UTC)
    texts = dict.fromkeys(
        ("event_key", "site", "session_user", "item_id", "event_type", "clock", "payload_hash"), "x"
    )
    times = {"event_ts": at, "received_ts": at, "event_date": FRIDAY}
    row = texts | times | {"status": "accepted", "is_bot": False}
    lake.append(EVENTS, lake.spark.createDataFrame([row], EVENTS.schema))


def test_the_files_of_the_days_up_to_the_run_date_are_listed(lake: Lake, tmp_path: Path) -> None:
    log = tmp_path / "log"
    wanted = [
        write(log, "date=2026-01-01/b.json", "1\n22\n"),
        write(log, "date=2026-01-30/part-2.json.gz"),
        write(log, "date=2026-01-31/a.json"),
        write(log, "date=2026-01-31/~last.json"),
        write(log, "date=2026-01-31/été.json"),
    ]
    for other in ("date=2026-02-01/a.json", "a.json", "dates/a.json", "day=2026-01-01/a.json"):
        write(log, other)
    for hidden in ("date=2026-01-01/_SUCCESS", "date=2026-01-01/.b.json.crc"):
        write(log, hidden)
    assert ledger.list_files(lake, str(log), SATURDAY) == wanted
    assert ledger.list_files(lake, f"{log}/", date(2026, 1, 1)) == wanted[:1]


def test_a_log_without_a_file_for_the_run_is_told(lake: Lake, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(BadInput, match=f"^source.events: no folder {log}; set it to"):
        ledger.list_files(lake, str(log), SATURDAY)
    log.mkdir()
    with pytest.raises(BadInput, match=f"^source.events: {log} holds no file date=.* up to 2026-01-31;"):
        ledger.list_files(lake, str(log), SATURDAY)
    write(log, "date=2026-02-01/a.json")
    with pytest.raises(BadInput, match="holds no file"):
        ledger.list_files(lake, str(log), SATURDAY)


def test_a_batch_comes_again_as_it_was_until_its_books_are_written(lake: Lake) -> None:
    a, b, c = (LogFile(f"date=2026-01-30/{name}.json", 10) for name in "abc")
    (first,) = batches(lake, FRIDAY, a, b)
    assert (first.files, first.events_version, first.run_date) == ((a, b), 0, FRIDAY)
    write_event(lake)  # and here the run is killed

    turns = ledger.pending(Lake(lake.spark, lake.root, {}), JOB, SATURDAY, [a, b, c])
    assert next(turns) == first
    write_event(lake)
    second = next(turns)  # what is new is compared with what the first batch wrote
    assert (second.files, second.events_version, second.run_date) == ((c,), 2, SATURDAY)
    assert second.run_id != first.run_id
    assert list(turns) == []

    write_books(lake, second)
    write_books(lake, first, job="another_job")
    assert batches(lake, SATURDAY, a, b, c) == [first]
    write_books(lake, first)
    grown = LogFile(b.path, 11)
    assert [batch.files for batch in batches(lake, SATURDAY, a, grown, c)] == [(grown,)]


def test_a_run_without_a_new_file_has_nothing_to_ingest(lake: Lake) -> None:
    assert batches(lake, FRIDAY) == []


def test_lines_come_with_their_file_and_unchanged(lake: Lake, tmp_path: Path) -> None:
    a = write(tmp_path, "date=2026-01-30/a.json", '{"n": 1}\n\n  broken \n')
    b = write(tmp_path, "date=2026-01-31/b.json", "last")
    write(tmp_path, "date=2026-01-31/c.json", "not of the batch")
    rows = ledger.read_lines(lake, f"{tmp_path}/", Batch("r", SATURDAY, (a, b), 0))
    assert sorted((row["source_file"], row["payload"]) for row in rows.collect()) == [
        (a.path, ""),
        (a.path, "  broken "),
        (a.path, '{"n": 1}'),
        (b.path, "last"),
    ]
