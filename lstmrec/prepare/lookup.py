"""A mapping of the configuration, looked into by Spark."""

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F


def lookup(mapping: Mapping[str, str] | Mapping[str, float], key: Column) -> Column:
    """The value of `key` in `mapping`, else null."""
    if not mapping:
        return F.lit(None)
    return F.try_element_at(F.create_map(*(F.lit(part) for pair in mapping.items() for part in pair)), key)
