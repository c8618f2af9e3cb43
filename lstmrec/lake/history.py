"""What a table's log tells: which rows changed since a version, and what a commit said of itself."""

import json
from typing import Any, Final

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table

CHANGE_TYPE: Final = "_change_type"
"""Of a changed row: insert, delete, update_preimage or update_postimage."""

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
    """What the newest commit that has `key` among its remarks said of itself, None where none has."""
    if not lake.exists(table):
        return None
    history = lake.delta(table).history()
    for row in history.select("userMetadata").toLocalIterator():
        remark: dict[str, Any] = json.loads(row["userMetadata"] or "{}")
        if key in remark:
            return remark
    return None
