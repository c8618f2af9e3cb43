"""Catalogue and user files as rows of `items` and `users`."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.sections import ItemFields, UserFields

_ATTRIBUTES = "attributes"
_N_LINES = "_n_lines"


def items(lines: DataFrame, fields: ItemFields) -> DataFrame:
    """Rows of `items` from JSON lines; every field that the mapping does not name goes to `attributes`.

    One row per item id: of several lines with one id, the first in order of text. Lines without an
    id, or which are no JSON object, come out as one row with a null id.
    """
    title = _text(fields.title) if fields.title else F.lit(None).cast("string")
    categories = _list(fields.categories) if fields.categories else F.lit(None).cast("array<string>")
    return _records(
        lines,
        c.ITEM_ID,
        fields.model_dump(),
        {"title": title, "categories": F.filter(categories, F.isnotnull)},
    )


def users(lines: DataFrame, fields: UserFields) -> DataFrame:
    """Rows of `users`, as `items` does for the catalogue."""
    return _records(lines, c.USER_ID, fields.model_dump(), {})


def named(records: DataFrame, key: str) -> DataFrame:
    """The records that have an id."""
    return records.where(F.col(key).isNotNull()).drop(_N_LINES)


def books(records: DataFrame, key: str) -> dict[str, int]:
    """How many lines became a record, repeated one, or had no id."""
    has_id = F.col(key).isNotNull()
    row = records.agg(
        F.count_if(has_id).alias("accepted"),
        F.coalesce(F.sum(F.when(has_id, F.col(_N_LINES) - 1)), F.lit(0)).alias("duplicate"),
        F.coalesce(F.sum(F.when(~has_id, F.col(_N_LINES))), F.lit(0)).alias("missing_id"),
    ).first()
    return row.asDict() if row is not None else {}


def _records(
    lines: DataFrame, key: str, fields: Mapping[str, str], columns: Mapping[str, Column]
) -> DataFrame:
    named = F.array(*(F.lit(name) for name in fields.values() if name is not None))
    others = F.map_filter("record", lambda name, value: value.isNotNull() & ~F.array_contains(named, name))
    return (
        lines.withColumn("record", F.from_json(F.col(c.PAYLOAD), "map<string,string>"))
        .select(
            _text(fields[key]).alias(key),
            *(column.alias(name) for name, column in columns.items()),
            F.coalesce(others, F.create_map().cast("map<string,string>")).alias(_ATTRIBUTES),
            c.PAYLOAD,
        )
        .groupBy(key)
        .agg(
            F.min_by(F.struct(*columns, _ATTRIBUTES), c.PAYLOAD).alias("first"),
            F.count(F.lit(1)).alias(_N_LINES),
        )
        .select(key, "first.*", _N_LINES)
    )


def _text(field: str) -> Column:
    trimmed = F.trim(F.col("record")[field])
    return F.when(trimmed != "", trimmed)


def _list(field: str) -> Column:
    return F.from_json(F.col("record")[field], "array<string>")
