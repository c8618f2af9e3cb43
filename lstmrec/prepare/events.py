"""From lines of a raw log to events: read, checked, timed, and each with its outcome."""

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from lstmrec import columns as c
from lstmrec.prepare import clocks
from lstmrec.sections import IngestConfig, SourceConfig

ACCEPTED: Final = "accepted"
LATE: Final = "late"
DUPLICATE: Final = "duplicate"
ID_CONFLICT: Final = "id_conflict"

_CORRUPT: Final = "_corrupt"
_FROM_BATCH: Final = "_from_batch"
_TEXT_FIELDS: Final = (c.EVENT_ID, c.DEVICE_ID, c.USER_ID, c.ITEM_ID, c.EVENT_TYPE, c.USER_AGENT)
_TIME_FIELDS: Final = (c.CREATED_TS, c.SENT_TS, c.RECEIVED_TS)

# What makes two rows with one id the same event. Transport times differ between deliveries of it.
_CONTENT: Final = (c.EVENT_ID, c.DEVICE_ID, c.USER_ID, c.ITEM_ID, c.EVENT_TYPE, c.CREATED_TS, c.USER_AGENT)


def parse(lines: DataFrame, source: SourceConfig, rules: IngestConfig) -> DataFrame:
    """Every line as an event, or with the `reason` why it is none.

    One row per line of `lines` (payload, source_file). Fields that the mapping does not name are
    dropped; text is trimmed, and an empty text is a null. `reason` is null for an event, else the
    first that holds of: oversize_payload, malformed_json, missing_user, missing_item,
    unknown_event_type, missing_time, impossible_time.
    """
    named = source.event_fields.named()
    schema = StructType([StructField(name, StringType()) for name in (*named.values(), _CORRUPT)])
    oversize = F.octet_length(c.PAYLOAD) > rules.max_payload_bytes
    record = F.from_json(F.when(~oversize, F.col(c.PAYLOAD)), schema, {"columnNameOfCorruptRecord": _CORRUPT})

    text = {name: _text(named.get(name)) for name in (*_TEXT_FIELDS, *_TIME_FIELDS)}
    known_type = F.create_map(*(F.lit(name) for pair in source.event_types.items() for name in pair))
    is_object = (
        F.trim(c.PAYLOAD).startswith("{") & F.col("record").isNotNull() & F.col(f"record.{_CORRUPT}").isNull()
    )
    raw = (
        lines.withColumn("record", record)
        .withColumns({"_oversize": oversize, "_object": F.coalesce(is_object, F.lit(False)), **text})
        .drop("record")
        .withColumn("_type", F.try_element_at(known_type, F.col(c.EVENT_TYPE)))
    )
    timed = clocks.settle(clocks.read_times(raw, _TIME_FIELDS, source.time_format), rules)
    reason = (
        F.when(F.col("_oversize"), "oversize_payload")
        .when(~F.col("_object"), "malformed_json")
        .when(F.coalesce(c.DEVICE_ID, c.USER_ID).isNull(), "missing_user")
        .when(F.col(c.ITEM_ID).isNull(), "missing_item")
        .when(F.col("_type").isNull(), "unknown_event_type")
        .otherwise(F.col(clocks.NO_TIME))
    )
    return (
        timed.withColumn(c.REASON, reason)
        .withColumn(c.EVENT_TYPE, F.col("_type"))
        .withColumn(c.SITE, F.lit(source.site))
        .withColumn(c.IS_BOT, F.coalesce(F.col(c.USER_AGENT).rlike(rules.bot_user_agents), F.lit(False)))
        .drop("_oversize", "_object", "_type", clocks.NO_TIME)
    )


def identify(parsed: DataFrame, rules: IngestConfig) -> DataFrame:
    """The rows without a `reason`, with all columns of the table `events`, its key and status included.

    The key is the producer's id within the site, or a hash of the content where there is no id.
    """
    payload_hash = F.substring(F.sha2(F.to_json(F.struct(*_CONTENT)), 256), 1, 32)
    is_late = F.col(c.RECEIVED_TS) - F.col(c.EVENT_TS) > F.lit(rules.late)
    return (
        parsed.where(F.col(c.REASON).isNull())
        .withColumn(c.PAYLOAD_HASH, payload_hash)
        .withColumn(
            c.EVENT_KEY,
            F.concat_ws("/", c.SITE, F.coalesce(c.EVENT_ID, F.concat(F.lit("#"), c.PAYLOAD_HASH))),
        )
        .withColumn(c.SESSION_USER, F.coalesce(c.DEVICE_ID, c.USER_ID))
        .withColumn(c.STATUS, F.when(is_late, LATE).otherwise(ACCEPTED))
        .withColumn(c.EVENT_DATE, F.to_date(c.EVENT_TS))
    )


def settle_duplicates(batch: DataFrame, stored: DataFrame) -> DataFrame:
    """Rows of `batch`, and rows of `stored` that they displace, each with its `outcome`.

    Of all rows with one key the winner is the one received first, then the one with the smallest
    payload hash, then the one sent first; what is stored already wins over its like. A winner's
    outcome is its status (accepted or late); a row with the winner's content is a `duplicate`,
    another an `id_conflict`. Stored winners do not come back; a displaced stored row comes back
    with a null source_file.
    """
    rivals = stored.join(batch.select(c.EVENT_KEY).distinct(), on=c.EVENT_KEY, how="left_semi")
    rows = batch.withColumn(_FROM_BATCH, F.lit(True)).unionByName(
        rivals.withColumn(_FROM_BATCH, F.lit(False)), allowMissingColumns=True
    )
    best_first = Window.partitionBy(c.EVENT_KEY).orderBy(
        F.col(c.RECEIVED_TS), F.col(c.PAYLOAD_HASH), F.col(c.SENT_TS).asc_nulls_last(), F.col(_FROM_BATCH)
    )
    is_winner = F.row_number().over(best_first) == 1
    is_copy = F.col(c.PAYLOAD_HASH) == F.first(c.PAYLOAD_HASH).over(best_first)
    outcome = F.when(is_winner, F.col(c.STATUS)).when(is_copy, DUPLICATE).otherwise(ID_CONFLICT)
    settled = rows.withColumn(c.OUTCOME, outcome)
    is_news = F.col(_FROM_BATCH) | (F.col(c.OUTCOME) == ID_CONFLICT)
    return settled.where(is_news).drop(_FROM_BATCH)


def quarantine(rejected: DataFrame) -> DataFrame:
    """Rejected rows as `events_quarantine` keeps them, without the run's columns.

    One row per distinct payload and reason, with the number of copies in `n_copies`. An id conflict
    is kept as the mapped fields, since a row displaced from `events` has no line any more.
    """
    fields = F.to_json(F.struct(*_TEXT_FIELDS, *_TIME_FIELDS))
    return (
        rejected.withColumn(
            c.PAYLOAD, F.when(F.col(c.REASON) == ID_CONFLICT, fields).otherwise(F.col(c.PAYLOAD))
        )
        .groupBy(c.REASON, c.PAYLOAD)
        .agg(F.min(c.SOURCE_FILE).alias(c.SOURCE_FILE), F.count(F.lit(1)).alias(c.N_COPIES))
        .withColumn(c.ROW_HASH, F.substring(F.sha2(F.concat_ws(":", c.REASON, c.PAYLOAD), 256), 1, 32))
    )


def _text(field: str | None) -> Column:
    if field is None:
        return F.lit(None).cast("string")
    trimmed = F.trim(F.col("record").getField(field))
    return F.when(trimmed != "", trimmed)
