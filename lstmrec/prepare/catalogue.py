"""Catalogue and user files as records, each line with its outcome, and the history that records make."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StringType

from lstmrec import columns as c
from lstmrec.mapping import ItemFields, UserFields
from lstmrec.prepare.digest import digest
from lstmrec.prepare.duplicates import DUPLICATE, ID_CONFLICT
from lstmrec.prepare.events import ACCEPTED
from lstmrec.prepare.records import RECORD, kept, unreadable, with_object
from lstmrec.sections import IngestConfig

_CONTENT: Final = "_content"
_TODAY: Final = "_today"
_VALIDITY: Final = (c.VALID_FROM, c.VALID_TO)


def items(lines: DataFrame, fields: ItemFields, rules: IngestConfig) -> DataFrame:
    """Records of items from JSON lines; every field that the mapping does not name goes to `attributes`.

    One row per line, with its `outcome`: accepted, or the first that holds of oversize_payload,
    not_utf8, malformed_json, missing_id, duplicate, id_conflict. Of several lines with one id the first
    in order of text is accepted; one with the same content is a duplicate of it, others conflict.
    """
    title = _text(fields.title) if fields.title else F.lit(None).cast("string")
    categories = _list(fields.categories) if fields.categories else F.lit(None).cast("array<string>")
    columns = {"title": title, c.CATEGORIES: F.filter(categories, F.isnotnull)}
    return _records(lines, c.ITEM_ID, fields.model_dump(), columns, rules)


def users(lines: DataFrame, fields: UserFields, rules: IngestConfig) -> DataFrame:
    """Records of users, as `items` does for the catalogue."""
    return _records(lines, c.USER_ID, fields.model_dump(), {}, rules)


def rejected(records: DataFrame, source: str) -> DataFrame:
    """Rows of `catalogue_quarantine` from the records that are neither accepted nor duplicates.

    One row per source, outcome and payload.
    """
    return (
        records.where(~F.col(c.OUTCOME).isin(ACCEPTED, DUPLICATE))
        .select(F.lit(source).alias(c.SOURCE), F.col(c.OUTCOME).alias(c.REASON), c.PAYLOAD)
        .distinct()  # a bad line that came twice is kept once
        .withColumn(c.ROW_HASH, digest(F.concat_ws(":", c.SOURCE, c.REASON, c.PAYLOAD)))
    )


def history(stored: DataFrame, records: DataFrame, key: str, run_date: date) -> DataFrame:
    """All rows of a table with valid_from and valid_to, after the accepted `records` of `run_date`.

    One row per key and stretch of days in which its content was the same; valid_to is exclusive, and
    null for what holds still. A key that is in no record ends; one that comes back begins anew. What an
    earlier run of the same date did is undone first. `stored` must not tell of days after `run_date`.
    """
    day = F.lit(run_date)
    still = F.when(F.col(c.VALID_TO) < day, F.col(c.VALID_TO))
    before = stored.where(F.col(c.VALID_FROM) < day).withColumn(c.VALID_TO, still)
    content = [name for name in stored.columns if name not in _VALIDITY]
    today = records.where(F.col(c.OUTCOME) == ACCEPTED).select(*content)

    known = today.select(key, _fingerprint(content).alias(_TODAY))
    compared = before.join(known, on=key, how="left")
    is_open = F.col(c.VALID_TO).isNull()
    is_same = F.col(_TODAY).eqNullSafe(_fingerprint(content))
    ended = compared.withColumn(
        c.VALID_TO, F.when(is_open & ~is_same, day).otherwise(F.col(c.VALID_TO))
    ).drop(_TODAY)  # fmt: skip
    holding = ended.where(F.col(c.VALID_TO).isNull()).select(key)
    begun = (
        today.join(holding, on=key, how="left_anti")
        .withColumn(c.VALID_FROM, day)
        .withColumn(c.VALID_TO, F.lit(None).cast("date"))
    )
    return ended.select(*stored.columns).unionByName(begun.select(*stored.columns))


def is_same(left: DataFrame, right: DataFrame) -> bool:
    """Whether two tables with the same columns hold the same rows, each as often."""
    ours, theirs = (rows.select(_fingerprint(rows.columns)) for rows in (left, right))
    return ours.exceptAll(theirs).isEmpty() and theirs.exceptAll(ours).isEmpty()


def _records(
    lines: DataFrame,
    key: str,
    fields: Mapping[str, str],
    columns: Mapping[str, Column],
    rules: IngestConfig,
) -> DataFrame:
    named = F.array(*(F.lit(name) for name in fields.values() if name is not None))
    others = F.map_filter(RECORD, lambda name, value: value.isNotNull() & ~F.array_contains(named, name))
    texts = MapType(StringType(), StringType())
    records = with_object(lines, texts, rules).select(
        kept(rules).alias(c.PAYLOAD),
        unreadable(rules).alias(c.REASON),
        RECORD,
        _text(fields[key]).alias(key),
        *(column.alias(name) for name, column in columns.items()),
        F.coalesce(others, F.create_map().cast("map<string,string>")).alias(c.ATTRIBUTES),
    )
    no_record = F.when(F.col(RECORD).isNull(), "malformed_json").when(F.col(key).isNull(), "missing_id")
    reason = F.coalesce(c.REASON, no_record)
    by_text = Window.partitionBy(key, F.col(key).isNull()).orderBy(c.PAYLOAD)
    content = records.withColumn(_CONTENT, _fingerprint([*columns, c.ATTRIBUTES]))
    outcome = (
        F.when(reason.isNotNull(), reason)
        .when(F.row_number().over(by_text) == 1, ACCEPTED)
        .when(F.col(_CONTENT) == F.first(_CONTENT).over(by_text), DUPLICATE)
        .otherwise(ID_CONFLICT)
    )
    return content.withColumn(c.OUTCOME, outcome).drop(RECORD, c.REASON, _CONTENT)


def _fingerprint(content: list[str]) -> Column:
    """A text that two rows have in common where their contents are equal, whatever the order of a map."""
    return F.to_json(F.struct(*(_comparable(name) for name in content)))


def _comparable(name: str) -> Column:
    if name == c.ATTRIBUTES:
        return F.array_sort(F.map_entries(name)).alias(name)
    return F.col(name)


def _text(field: str) -> Column:
    trimmed = F.trim(F.col(RECORD)[field])
    return F.when(trimmed != "", trimmed)


def _list(field: str) -> Column:
    return F.from_json(F.col(RECORD)[field], "array<string>")
