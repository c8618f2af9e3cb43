"""What a table's log tells: which rows changed since a version, and what a commit said of itself."""

import json
from datetime import date
from typing import Any, Final

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec.errors import BadInput
from lstmrec.lake.store import Lake, Remark
from lstmrec.lake.table import Table

CHANGE_TYPE: Final = "_change_type"
"""Of a changed row: insert, delete, update_preimage or update_postimage."""

_AS_OF: Final = "as_of"

_FILE_IS_GONE: Final = "FAILED_READ_FILE.FILE_NOT_EXIST"


def changes(lake: Lake, table: Table, since: int) -> DataFrame | None:
    """Rows that commits after version `since` brought, took or changed, in old and in new state.

    Up to the version pinned for the run, with Delta's column `_change_type`; persisted. None where the
    table does not know any more: it was made anew, its log has been cleared, or a VACUUM has deleted
    files that the changes lie in.
    """
    lake.read(table)
    pinned = lake.versions[table.name]
    if since == pinned:
        nothing = lake.spark.createDataFrame([], table.schema)
        return nothing.withColumn(CHANGE_TYPE, F.lit(None).cast("string"))
    feed = lake.spark.read.format("delta").option("readChangeFeed", "true")
    try:
        rows = (
            feed.option("startingVersion", since + 1).option("endingVersion", pinned).load(lake.path(table))
        )
        rows = rows.select(*table.columns, CHANGE_TYPE).persist()
        rows.count()  # a file that is gone shows when it is read, not before
    except AnalysisException:
        return None
    except Py4JJavaError as error:  # as PySpark leaves what went wrong in a task
        if _FILE_IS_GONE not in str(error.java_exception):
            raise
        return None
    return rows


def last_remark(lake: Lake, table: Table, key: str) -> dict[str, Any] | None:
    """What the newest commit that has `key` among its remarks said of itself, None where none has.

    Up to the version pinned for the run, where one is.
    """
    if not lake.exists(table):
        return None
    history = lake.delta(table).history()
    if table.name in lake.versions:
        history = history.where(F.col("version") <= lake.versions[table.name])
    for row in history.select("userMetadata").toLocalIterator():
        remark: dict[str, Any] = json.loads(row["userMetadata"] or "{}")
        if key in remark:
            return remark
    return None


def as_of(run_date: date) -> Remark:
    """The remark of a commit that writes a table whole, as of a day."""
    return {_AS_OF: run_date.isoformat()}


def require_as_of(lake: Lake, table: Table, run_date: date, writer: str) -> None:
    """Stop unless `table` is the one of `run_date`: of a later day it knows what was not known then.

    Raises
    ------
    BadInput
        With the day that the table is of, and the job `writer` to run.
    """
    lake.read(table)
    remark = last_remark(lake, table, _AS_OF)
    of = None if remark is None else remark[_AS_OF]
    if of != run_date.isoformat():
        raise BadInput(
            f"{table.name}: of {of or 'an unknown day'} and not of {run_date} at {lake.path(table)}; "
            f"run {writer} for that date first, and nothing else on this lake between the two"
        )
