"""What a table of the lake is: a name, a grain, a schema, a key, and what must hold in each row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

STRING, INT, LONG, DOUBLE = StringType(), IntegerType(), LongType(), DoubleType()
BOOL, DATE, TIME = BooleanType(), DateType(), TimestampType()

WRITES_BY_PARTITION: Final = {
    # without it every task writes a file into each partition that it holds a row of
    "delta.autoOptimize.optimizeWrite": "true",
}

_OF_EVERY_TABLE: Final = {
    # Petastorm reads the Parquet files and knows no deletion vectors
    "delta.enableDeletionVectors": "false",
    # a job's commit holds the job's rows, and no files put together by the way
    "delta.autoOptimize.autoCompact": "false",
    # a version can be read while its log stands, and a model may serve for years: ten of them
    "delta.logRetentionDuration": "interval 3650 days",
    # so long Delta remembers which files are gone, and a VACUUM by hand leaves them; keep_tables takes
    # its own number of days from the configuration, at most these
    "delta.deletedFileRetentionDuration": "interval 30 days",
}


@dataclass(frozen=True)
class Table:
    """One table's contract.

    `grain` completes the sentence "one row per ...". `constraints` are SQL conditions by name that
    Delta enforces on every write; `key` columns are checked for uniqueness before a write.
    `properties` are Delta's, besides those of every table. Where `keeps_layout`, its job chooses how
    the rows are cut into files.
    """

    name: str
    grain: str
    schema: StructType
    key: tuple[str, ...]
    partition: tuple[str, ...] = ()
    constraints: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    keeps_layout: bool = False

    @property
    def columns(self) -> list[str]:
        return self.schema.fieldNames()

    @property
    def delta_properties(self) -> dict[str, str]:
        """All of Delta's table properties that are set by code; a table's own win over the common ones."""
        return {**_OF_EVERY_TABLE, **self.properties}


def schema_of(required: Mapping[str, DataType], optional: Mapping[str, DataType]) -> StructType:
    """The columns that are never null, then those that may be."""
    return StructType(
        [StructField(name, kind, nullable=False) for name, kind in required.items()]
        + [StructField(name, kind, nullable=True) for name, kind in optional.items()]
    )


def explained(schema: StructType, comments: Mapping[str, str]) -> StructType:
    """The same columns with a comment each, which Delta keeps and DESCRIBE TABLE shows."""
    return StructType(
        [StructField(f.name, f.dataType, f.nullable, {"comment": comments[f.name]}) for f in schema]
    )


def array_of(kind: DataType) -> ArrayType:
    """An array without nulls."""
    return ArrayType(kind, containsNull=False)


def on_days(column: str, days: Iterable[date]) -> str:
    """The condition that the stored `column` is one of `days`."""
    listed = ", ".join(f"DATE'{day}'" for day in sorted(days))
    return f"stored.{column} IN ({listed})" if listed else "false"
