"""Which files were ingested: every file by exactly one run, also when runs are killed."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.lake.raw_log import LogFile
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import EVENTS, INGESTED_FILES, RUN_ACCOUNTING


@dataclass(frozen=True)
class Batch:
    """Files that one run ingests, against `events` as it was at `events_version`."""

    run_id: str
    run_date: date
    job: str
    files: tuple[LogFile, ...]
    events_version: int
    is_claimed: bool


def pending(lake: Lake, job: str, run_date: date, files: Sequence[LogFile]) -> Iterator[Batch]:
    """Batches still to ingest: first what a killed run had claimed, then all files nobody claimed.

    A batch is claimed in the ledger before its first write, and done when its books are written. A
    claim pins the version of `events` that its rows are compared with, so that a second attempt
    after a crash decides about every row as the first did.
    """
    lake.create(INGESTED_FILES)
    lake.create(RUN_ACCOUNTING)
    claimed = lake.read(INGESTED_FILES).where(F.col(c.JOB) == job)
    unfinished = _unfinished(lake).where(F.col(c.JOB) == job).collect()
    for run_id, day, version in sorted(
        {(r[c.RUN_ID], r[c.RUN_DATE], r["events_version"]) for r in unfinished}
    ):
        own = sorted(LogFile(r["path"], r["size_bytes"]) for r in unfinished if r[c.RUN_ID] == run_id)
        yield Batch(run_id, day, job, tuple(own), version, is_claimed=True)
    known = {LogFile(r["path"], r["size_bytes"]) for r in claimed.select("path", "size_bytes").collect()}
    new = tuple(file for file in files if file not in known)
    if new:
        yield _unclaimed(lake, job, run_date, new)


def versions_in_use(lake: Lake) -> set[int]:
    """The versions of `events` that unfinished batches are to be compared with."""
    if not lake.exists(INGESTED_FILES):
        return set()
    lake.create(RUN_ACCOUNTING)
    return {row["events_version"] for row in _unfinished(lake).select("events_version").distinct().collect()}


def claim(lake: Lake, batch: Batch) -> None:
    """Write down that the batch's files are this run's; where that is done, do nothing."""
    if batch.is_claimed:
        return
    rows = [
        (batch.job, file.path, file.size_bytes, batch.run_id, batch.run_date, batch.events_version)
        for file in batch.files
    ]
    lake.append(INGESTED_FILES, lake.spark.createDataFrame(rows, INGESTED_FILES.schema))


def _unfinished(lake: Lake) -> DataFrame:
    """The claimed files of runs that have not written their books."""
    done = lake.read(RUN_ACCOUNTING).select(c.JOB, c.RUN_ID).distinct()
    return lake.read(INGESTED_FILES).join(done, on=[c.JOB, c.RUN_ID], how="left_anti")


def _unclaimed(lake: Lake, job: str, run_date: date, files: tuple[LogFile, ...]) -> Batch:
    lake.create(EVENTS)
    names = "\n".join(f"{file.path} {file.size_bytes}" for file in files)
    run_id = f"{job}-{run_date.isoformat()}-{hashlib.sha256(names.encode()).hexdigest()[:12]}"
    return Batch(run_id, run_date, job, files, lake.version(EVENTS), is_claimed=False)
