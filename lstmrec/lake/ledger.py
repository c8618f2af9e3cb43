"""Which log files were ingested: every file by exactly one run, also when runs are killed."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import BadInput
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import EVENTS, INGESTED_FILES, RUN_ACCOUNTING


@dataclass(frozen=True, order=True)
class LogFile:
    """A file of the raw log: its path below the log's folder, and its size. Another size is another file."""

    path: str
    size_bytes: int


@dataclass(frozen=True)
class Batch:
    """Files that one run ingests, against `events` as it was at `events_version`."""

    run_id: str
    run_date: date
    files: tuple[LogFile, ...]
    events_version: int


def list_files(lake: Lake, folder: str, run_date: date) -> list[LogFile]:
    """Files in the folders date=YYYY-MM-DD of `folder`, up to and with `run_date`, sorted.

    Raises
    ------
    BadInput
        Where `folder` is missing, or holds no file of a day up to `run_date`.
    """
    try:
        listed = (
            lake.spark.read.format("binaryFile")
            .option("recursiveFileLookup", "true")
            .load(folder)
            .select(
                F.regexp_extract("path", r"/(date=(\d{4}-\d{2}-\d{2})/[^/]+)$", 1).alias("path"), "length"
            )
            .collect()
        )
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        raise BadInput(
            f"source.events: no folder {folder}; set it to the folder with the date=YYYY-MM-DD folders"
        ) from None
    last = f"date={run_date.isoformat()}"
    files = sorted(
        LogFile(row["path"], row["length"]) for row in listed if "" < row["path"].partition("/")[0] <= last
    )
    if not files:
        raise BadInput(
            f"source.events: {folder} holds no file date=YYYY-MM-DD/... of a day up to {run_date}; "
            "check the folder and --run-date"
        )
    return files


def pending(lake: Lake, job: str, run_date: date, files: Sequence[LogFile]) -> Iterator[Batch]:
    """Batches still to ingest: first what a killed run had claimed, then all files nobody claimed.

    A batch is claimed in the ledger before it is ingested, and done when its books are written. A
    claim pins the version of `events` that its rows are compared with, so that a second attempt
    after a crash decides about every row as the first did.
    """
    lake.create(INGESTED_FILES)
    lake.create(RUN_ACCOUNTING)
    claimed = lake.read(INGESTED_FILES)
    done = lake.read(RUN_ACCOUNTING).where(F.col(c.JOB) == job).select(c.RUN_ID).distinct()
    unfinished = claimed.join(done, on=c.RUN_ID, how="left_anti").collect()
    for run_id, day, version in sorted(
        {(r[c.RUN_ID], r[c.RUN_DATE], r["events_version"]) for r in unfinished}
    ):
        yield Batch(
            run_id=run_id,
            run_date=day,
            files=tuple(
                sorted(LogFile(r["path"], r["size_bytes"]) for r in unfinished if r[c.RUN_ID] == run_id)
            ),
            events_version=version,
        )
    known = {LogFile(r["path"], r["size_bytes"]) for r in claimed.select("path", "size_bytes").collect()}
    new = tuple(file for file in files if file not in known)
    if new:
        yield _claim(lake, job, run_date, new)


def read_lines(lake: Lake, folder: str, batch: Batch) -> DataFrame:
    """payload, source_file: each line of the batch's files, as text, with the file's path below `folder`."""
    root = folder.rstrip("/")
    lines = lake.spark.read.text([f"{root}/{file.path}" for file in batch.files])
    path = F.regexp_extract("_metadata.file_path", r"/(date=[^/]+/[^/]+)$", 1)
    return lines.select(F.col("value").alias(c.PAYLOAD), path.alias(c.SOURCE_FILE))


def _claim(lake: Lake, job: str, run_date: date, files: tuple[LogFile, ...]) -> Batch:
    lake.create(EVENTS)
    version = lake.version(EVENTS)
    names = "\n".join(f"{file.path} {file.size_bytes}" for file in files)
    run_id = f"{job}-{run_date.isoformat()}-{hashlib.sha256(names.encode()).hexdigest()[:12]}"
    rows = [(file.path, file.size_bytes, run_id, run_date, version) for file in files]
    lake.append(INGESTED_FILES, lake.spark.createDataFrame(rows, INGESTED_FILES.schema))
    return Batch(run_id, run_date, files, version)
