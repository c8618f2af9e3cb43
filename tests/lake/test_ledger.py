from dataclasses import replace
from datetime import UTC, date, datetime

from lstmrec.lake import accounting, ledger
from lstmrec.lake.ledger import Batch
from lstmrec.lake.raw_log import LogFile
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import EVENTS

FRIDAY, SATURDAY = date(2026, 1, 30), date(2026, 1, 31)
JOB = "ingest_events"


def batches(lake: Lake, run_date: date, *files: LogFile) -> list[Batch]:
    """What a run of its own, with nothing pinned yet, would ingest; it claims all of that."""
    own = Lake(lake.spark, lake.root, {})
    return [claimed(own, batch) for batch in ledger.pending(own, JOB, run_date, files)]


def claimed(lake: Lake, batch: Batch) -> Batch:
    ledger.claim(lake, batch)
    return replace(batch, is_claimed=True)


def write_books(lake: Lake, batch: Batch, job: str = JOB) -> None:
    accounting.record(lake, batch.run_id, batch.run_date, job, 1, {"accepted": 1})


def write_event(lake: Lake) -> None:
    """A new version of `events`; an empty write would make none."""
    at = datetime(2026, 1, 30, 9, tzinfo=UTC)
    texts = dict.fromkeys(
        ("event_key", "site", "session_user", "item_id", "event_type", "clock", "payload_hash"), "x"
    )
    times = {"event_ts": at, "received_ts": at, "event_date": FRIDAY}
    row = texts | times | {"status": "accepted", "is_bot": False, "weight": 1.0}
    lake.append(EVENTS, lake.spark.createDataFrame([row], EVENTS.schema))


def test_a_batch_comes_again_as_it_was_until_its_books_are_written(lake: Lake) -> None:
    a, b, c = (LogFile(f"date=2026-01-30/{name}.json", 10) for name in "abc")
    (first,) = batches(lake, FRIDAY, a, b)
    assert (first.files, first.events_version, first.run_date) == ((a, b), 0, FRIDAY)
    write_event(lake)  # and here the run is killed

    own = Lake(lake.spark, lake.root, {})
    turns = ledger.pending(own, JOB, SATURDAY, [a, b, c])
    assert next(turns) == first
    write_event(lake)
    second = claimed(own, next(turns))  # what is new is compared with what the first batch wrote
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


def test_an_unclaimed_batch_is_offered_again_and_another_jobs_files_are_its_own(lake: Lake) -> None:
    a = LogFile("date=2026-01-30/a.json", 10)
    offered = [next(ledger.pending(Lake(lake.spark, lake.root, {}), JOB, FRIDAY, [a])) for _ in range(2)]
    assert offered[0] == offered[1]
    assert not offered[0].is_claimed
    batches(lake, FRIDAY, a)
    (other,) = ledger.pending(Lake(lake.spark, lake.root, {}), "another_job", FRIDAY, [a])
    assert (other.files, other.is_claimed) == ((a,), False)
