"""Upkeep of a table: its properties as the code has them, few files, and none that nobody needs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec.lake.settings import session_settings
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from lstmrec.sections import UpkeepConfig

_HAS_FEED: Final = "delta.enableChangeDataFeed"
_NAME: Final = "_name"


@dataclass(frozen=True)
class Tended:
    """What upkeep came to: properties set, data files of the newest version, versions in use but lost."""

    properties: tuple[str, ...]
    files_before: int
    files_after: int
    lost: tuple[int, ...]


def tend(lake: Lake, table: Table, in_use: Collection[int], rules: UpkeepConfig) -> Tended:
    """Set what properties differ, put small files together, and delete files that no version needs.

    Rows stay the same, and so do all versions of the last `rules.retention_days` and those of `in_use`,
    whatever their age. One of `in_use` that the table's log does not know any more is told as lost.
    A second run changes nothing. A job that writes the same files meanwhile may fail with a
    concurrent write, or this does: neither does harm, and a second attempt succeeds.
    """
    lake.sign()
    properties = _set_properties(lake, table)
    files_before = _n_files(lake, table)
    if not table.keeps_layout:
        _compact(lake, table, rules.file_mb)
    pinned = {version: _data_files(lake, table, version) for version in in_use}
    _vacuum(lake, table, _names(pinned.values()), timedelta(days=rules.retention_days))
    lost = tuple(sorted(version for version, files in pinned.items() if files is None))
    return Tended(properties, files_before, _n_files(lake, table), lost)


def _set_properties(lake: Lake, table: Table) -> tuple[str, ...]:
    """Bring the table's properties in line with the code; those the code does not name stay."""
    stored = lake.delta(table).detail().select("properties").collect()[0]["properties"]
    differing = {name: told for name, told in table.delta_properties.items() if stored.get(name) != told}
    if differing:
        assigned = ", ".join(f"'{name}' = '{told}'" for name, told in differing.items())
        place = lake.path(table).replace("`", "``")
        lake.spark.sql(f"ALTER TABLE delta.`{place}` SET TBLPROPERTIES ({assigned})")
    return tuple(sorted(differing))


def _compact(lake: Lake, table: Table, file_mb: int) -> None:
    """Within each partition, put files smaller than `file_mb` together up to that size."""
    size = str(file_mb * 2**20)
    with session_settings(
        lake.spark,
        {
            "spark.databricks.delta.optimize.minFileSize": size,
            "spark.databricks.delta.optimize.maxFileSize": size,
        },
    ):
        lake.delta(table).optimize().executeCompaction()


def _vacuum(lake: Lake, table: Table, pinned: Collection[str], retention: timedelta) -> None:
    """Delete files that no version of the last `retention` needs, but none whose name is in `pinned`.

    How long ago a file went out of the table is counted by Delta alone, from the clock of the commit
    that took it out to its own: a run date of the past or of the future makes no file older. Delta
    knows nothing of models; what they pin is kept by leaving it out of the files that it may look at.
    """
    inventory = _listed(lake.spark, lake.path(table))
    if _HAS_FEED in table.properties:
        inventory = inventory.unionByName(_listed(lake.spark, f"{lake.path(table)}/_change_data"))
    # a file's name is unique in a table: Delta puts a UUID into it
    kept = lake.spark.createDataFrame([(name,) for name in pinned], f"{_NAME} string")
    inventory = inventory.withColumn(_NAME, F.substring_index("path", "/", -1))
    inventory = inventory.join(kept, on=_NAME, how="left_anti").drop(_NAME)
    # Delta refuses less than the table's own retention; how much is wanted is the configuration's to say
    with session_settings(lake.spark, {"spark.databricks.delta.retentionDurationCheck.enabled": "false"}):
        lake.spark.sql(
            "VACUUM {path} USING INVENTORY (SELECT * FROM {inventory}) RETAIN {hours} HOURS",
            path=lake.path(table),
            inventory=inventory,
            hours=retention // timedelta(hours=1),
        )


def _listed(spark: SparkSession, folder: str) -> DataFrame:
    """The files below `folder` in the form in which VACUUM takes them; none where there is no folder.

    Folders in it that begin with an underscore, Delta's own, are not looked into.
    """
    try:
        found = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(folder)
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        nothing = "path string, length bigint, modificationTime timestamp"
        found = spark.createDataFrame([], nothing)
    return found.select(
        "path",
        "length",
        (F.col("length") < 0).alias("isDir"),  # false; a literal could not be null, as Delta's check asks
        F.unix_millis("modificationTime").alias("modificationTime"),
    )


def _data_files(lake: Lake, table: Table, version: int) -> list[str] | None:
    """The URIs of the version's data files, None where the log does not tell any more."""
    try:
        rows = lake.spark.read.format("delta").option("versionAsOf", version).load(lake.path(table))
    except AnalysisException:
        return None
    return rows.inputFiles()


def _names(pinned: Collection[list[str] | None]) -> set[str]:
    return {uri.rpartition("/")[2] for files in pinned for uri in files or ()}


def _n_files(lake: Lake, table: Table) -> int:
    n_files: int = lake.delta(table).detail().select("numFiles").collect()[0]["numFiles"]
    return n_files
