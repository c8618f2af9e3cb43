"""What a table of the lake is: a name, a grain, a schema, a key, and what must hold in each row."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql.types import ArrayType, DataType, StructField, StructType


@dataclass(frozen=True)
class Table:
    """One table's contract.

    `grain` completes the sentence "one row per ...". `constraints` are SQL conditions by name that
    Delta enforces on every write; `key` columns are checked for uniqueness before a write.
    """

    name: str
    grain: str
    schema: StructType
    key: tuple[str, ...]
    partition: tuple[str, ...] = ()
    constraints: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        return self.schema.fieldNames()


def schema_of(required: Mapping[str, DataType], optional: Mapping[str, DataType]) -> StructType:
    """The columns that are never null, then those that may be."""
    return StructType(
        [StructField(name, kind, nullable=False) for name, kind in required.items()]
        + [StructField(name, kind, nullable=True) for name, kind in optional.items()]
    )


def array_of(kind: DataType) -> ArrayType:
    """An array without nulls."""
    return ArrayType(kind, containsNull=False)
