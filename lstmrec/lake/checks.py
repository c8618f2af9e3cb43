"""Contracts on rows about to be written; a broken one stops the run with a sample to look at."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec.errors import BrokenContract


def require_unique(rows: DataFrame, key: Sequence[str], table: str) -> None:
    """Stop the run if `key` repeats: a doubled row would be served as a doubled recommendation."""
    repeats = rows.groupBy(*key).count().where(F.col("count") > 1).take(3)
    if repeats:
        raise BrokenContract(f"{table}: key {tuple(key)} repeats, e.g. {[r.asDict() for r in repeats]}")


def require_none(rows: DataFrame, rule: str, table: str) -> None:
    """Stop the run if there is any row: `rows` are those that break `rule`."""
    broken = rows.take(3)
    if broken:
        raise BrokenContract(f"{table}: {rule}, broken by e.g. {[r.asDict() for r in broken]}")
