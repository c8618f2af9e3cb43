"""The Parquet files of a table's version: for readers that know no Delta log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import functions as F

from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a table's version."""

    uri: str
    partition: Mapping[str, Any]
    n_rows: int


def data_files(lake: Lake, table: Table, where: str) -> list[DataFile]:
    """The Parquet files of the pinned version with rows that match `where`, by URI.

    `where` is a condition on partition columns, so that files match whole.
    """
    lake.read(table)
    counted = (
        lake.spark.read.format("delta")
        .option("versionAsOf", lake.versions[table.name])
        .load(lake.path(table))
        .where(where)
        .groupBy(F.col("_metadata.file_path").alias("uri"), *table.partition)
        .count()
        .orderBy("uri")
        .collect()
    )
    return [DataFile(r["uri"], {name: r[name] for name in table.partition}, r["count"]) for r in counted]
