"""Rejected rows as `events_quarantine` keeps them: a set, so that no delivery or batch shows in it."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.mapping import SourceConfig
from lstmrec.prepare.digest import digest
from lstmrec.prepare.duplicates import ID_CONFLICT, won
from lstmrec.prepare.events import IGNORED
from lstmrec.prepare.records import MICROSECONDS, TEXT_FIELDS, TIME_FIELDS

_END_OF_TIME: Final = "TIMESTAMP'9999-12-31'"

IS_EARLIER: Final = (
    f"new.{c.RECEIVED_TS} < stored.{c.RECEIVED_TS} OR new.{c.RECEIVED_TS} = stored.{c.RECEIVED_TS} "
    f"AND coalesce(new.{c.SENT_TS}, {_END_OF_TIME}) < coalesce(stored.{c.SENT_TS}, {_END_OF_TIME}) "
    f"OR new.{c.SOURCE_FILE} < stored.{c.SOURCE_FILE}"
)
"""Whether a row of the same content is to replace the stored one: the earliest copy stands for all."""


def rejected(checked: DataFrame) -> DataFrame:
    """Rows of `events_quarantine` from those of `checked` that are no events.

    One row per reason and payload, with the first file by name that has it.
    """
    return (
        checked.where(F.col(c.REASON) != IGNORED)
        .groupBy(c.REASON, c.PAYLOAD)
        .agg(F.min(c.SOURCE_FILE).alias(c.SOURCE_FILE))
        .withColumn(c.ROW_HASH, _row_hash(c.PAYLOAD))
        .withColumns({c.RECEIVED_TS: _no_time(), c.SENT_TS: _no_time()})
    )


def conflicting(settled: DataFrame) -> DataFrame:
    """Rows of `events_quarantine` from the id conflicts in `settled`, displaced events among them.

    One row per event key and content: its earliest copy, as the mapped fields with our names, since
    a row displaced from `events` has no line, and so no file, any more.
    """
    fields = F.to_json(F.struct(*TEXT_FIELDS, *TIME_FIELDS), MICROSECONDS)
    earliest = F.struct(c.RECEIVED_TS, F.coalesce(c.SENT_TS, F.expr(_END_OF_TIME)))
    return (
        settled.where(F.col(c.OUTCOME) == ID_CONFLICT)
        .withColumn(c.PAYLOAD, fields)
        .withColumn(c.REASON, F.lit(ID_CONFLICT))
        .groupBy(c.REASON, c.EVENT_KEY, c.PAYLOAD_HASH)
        .agg(F.min_by(F.struct(c.PAYLOAD, c.RECEIVED_TS, c.SENT_TS), earliest).alias("first"))
        .withColumn(c.ROW_HASH, _row_hash(c.EVENT_KEY, c.PAYLOAD_HASH))
        .select(c.REASON, c.ROW_HASH, "first.*", F.lit(None).cast("string").alias(c.SOURCE_FILE))
    )


def redeemed(settled: DataFrame) -> DataFrame:
    """The row_hash of each id conflict that is none any more: its content came again, and won."""
    return (
        settled.where(~F.col(c.IS_STORED) & won())
        .withColumn(c.REASON, F.lit(ID_CONFLICT))
        .select(_row_hash(c.EVENT_KEY, c.PAYLOAD_HASH).alias(c.ROW_HASH))
    )


def corrections(lines: DataFrame) -> DataFrame:
    """row_hash, reason, payload, source_file of each corrected row, from JSON lines with the first three.

    A line without a payload comes as its own payload, to be judged like any other.
    """
    given = F.from_json(c.PAYLOAD, f"{c.ROW_HASH} string, {c.REASON} string, {c.PAYLOAD} string")
    return lines.withColumn("given", given).select(
        F.col("given")[c.ROW_HASH].alias(c.ROW_HASH),
        F.col("given")[c.REASON].alias(c.REASON),
        F.coalesce(F.col("given")[c.PAYLOAD], F.col(c.PAYLOAD)).alias(c.PAYLOAD),
        c.SOURCE_FILE,
    )


def our_mapping(source: SourceConfig) -> SourceConfig:
    """The mapping that the payload of an id conflict is read with: our own names for everything."""
    names = {name: name for name in (*TEXT_FIELDS, *TIME_FIELDS)}
    ours = {
        "explode": None,
        "event_fields": source.event_fields.model_copy(update=names),
        "only_event_type": None,
        "time_format": "iso8601",
        "event_types": {name: name for name in source.vocabulary},
    }
    return source.model_copy(update=ours)


def _row_hash(*content: str) -> Column:
    return digest(F.concat_ws(":", c.REASON, *content))


def _no_time() -> Column:
    return F.lit(None).cast("timestamp")
