"""The raw log's files: which there are of which day, and their records as they stand in them."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lstmrec import columns as c
from lstmrec.errors import BadInput
from lstmrec.lake import files

Layout = TypeVar("Layout")

_UNREADABLE = re.compile(
    r"\[FAILED_READ_FILE\.\w+\] Encountered error while reading file (?P<damaged>\S.*?)\. "
    r"|\[PATH_NOT_FOUND\] Path does not exist: (?P<gone>\S.*?)\. "
)
_GLOB = re.compile(r"[*?{}\[\]\\]")


@dataclass(frozen=True, order=True)
class LogFile:
    """A file of the raw log: its path below the log's folder, and its size. Another size is another file."""

    path: str
    size_bytes: int


def list_files(spark: SparkSession, folder: str, day_pattern: str, run_date: date, key: str) -> list[LogFile]:
    """Files of `folder`, at any depth, whose path starts with a day up to and with `run_date`, sorted.

    A file of no bytes is none.

    Raises
    ------
    BadInput
        Where `folder` is missing, or holds no such file: names `key`, which gave it.
    """
    with files.naming_the_path(f"{key}: no folder {folder}; set it to the folder with the log's files"):
        every = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(folder)
        listed = every.select(_below(folder, F.col("path")).alias("path"), "length").collect()
    days = {LogFile(row["path"], row["length"]): _day(row["path"], day_pattern) for row in listed}
    found = sorted(file for file, day in days.items() if day is not None and day <= run_date)
    if not found:
        other = f", but {len(days)} others, e.g. {min(days).path}" if days else ""
        raise BadInput(
            f"{key}: {folder} holds no file of a day up to {run_date} by source.day_pattern{other}; "
            "check the folder, the pattern and --run-date"
        )
    return found


def read_lines(spark: SparkSession, folder: str, files: Sequence[LogFile]) -> DataFrame:
    """payload, source_file: each line of the files as text, and the file's path below `folder`."""
    lines = spark.read.text(_paths(folder, files))
    return lines.select(F.col("value").alias(c.PAYLOAD), _source_file(folder))


def read_rows(spark: SparkSession, folder: str, files: Sequence[LogFile]) -> DataFrame:
    """record, source_file: each row of the Parquet files as a struct; the files must have one schema."""
    rows = spark.read.parquet(*_paths(folder, files))
    return rows.select(
        F.struct(*(F.col(f"`{n}`") for n in rows.columns)).alias("record"), _source_file(folder)
    )


def by_schema(
    spark: SparkSession, folder: str, files: Sequence[LogFile]
) -> list[tuple[StructType, list[LogFile]]]:
    """The Parquet files, those of one schema together."""
    schemas = {file: spark.read.parquet(*_paths(folder, [file])).schema for file in files}
    return _together(schemas)


def by_header(spark: SparkSession, folder: str, files: Sequence[LogFile]) -> list[tuple[str, list[LogFile]]]:
    """The text files, those with the same first line together; that of an empty file is empty."""
    first = {file: spark.read.text(_paths(folder, [file])).head() for file in files}
    return _together({file: "" if row is None else row["value"] for file, row in first.items()})


@contextmanager
def naming_the_file(key: str) -> Iterator[None]:
    """Turn Spark's failure to read a file into one line that names it."""
    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        found = _UNREADABLE.search(str(error))
        if found is None:
            raise
        file = found["damaged"] or found["gone"]
        raise BadInput(
            f"{key}: {file} cannot be read: cut off, damaged, or gone; put the whole file there "
            "or take it away, and run again. Nothing was written"
        ) from None


def _paths(folder: str, files: Sequence[LogFile]) -> list[str]:
    names = [_GLOB.sub(r"\\\g<0>", file.path) for file in files]  # Spark takes a name for a pattern
    return [f"{folder.rstrip('/')}/{name}" for name in names]


def _source_file(folder: str) -> Column:
    decoded = F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
    return _below(folder, decoded).alias(c.SOURCE_FILE)


def _below(folder: str, path: Column) -> Column:
    root = folder if "://" in folder else str(Path(folder).absolute())
    return F.substring_index(path, f"{root.rstrip('/')}/", -1)


def _day(path: str, pattern: str) -> date | None:
    found = re.match(pattern, path)
    if found is None:
        return None
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None


def _together(layouts: dict[LogFile, Layout]) -> list[tuple[Layout, list[LogFile]]]:
    groups: dict[Layout, list[LogFile]] = {}
    for file, layout in layouts.items():
        groups.setdefault(layout, []).append(file)
    return list(groups.items())
