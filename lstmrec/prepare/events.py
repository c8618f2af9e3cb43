"""From the fields of raw records to events: checked, timed, and with the key that makes copies known."""

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.mapping import SourceConfig
from lstmrec.prepare import clocks
from lstmrec.prepare.digest import digest
from lstmrec.prepare.lookup import lookup
from lstmrec.prepare.records import TIME_FIELDS
from lstmrec.sections import IngestConfig

ACCEPTED: Final = "accepted"
LATE: Final = "late"
IGNORED: Final = "ignored_type"

_IDS: Final = (c.EVENT_ID, c.DEVICE_ID, c.USER_ID, c.ITEM_ID)
_TEXT_CONTENT: Final = (*_IDS, c.EVENT_TYPE, c.USER_AGENT)
_TYPE: Final = "_type"


def check(records: DataFrame, source: SourceConfig, rules: IngestConfig) -> DataFrame:
    """Every record as an event, or with the `reason` why it is none.

    One row per row of `records` (see records.py). `reason` is null for an event, else the one that
    reading gave, or the first that holds of: ignored_type (a type that the mapping sends to null),
    oversize_id, missing_user, missing_item, unknown_event_type, missing_time, impossible_time.
    """
    theirs = F.col(c.EVENT_TYPE)
    renamed = {their: our for their, our in source.event_types.items() if our is not None}
    if source.only_event_type is not None:
        renamed[source.only_event_type] = source.only_event_type
    ignored = [their for their, our in source.event_types.items() if our is None]
    typed = records.withColumn(_TYPE, lookup(renamed, theirs))
    timed = clocks.settle(clocks.read_times(typed, TIME_FIELDS, source.time_format), rules)
    oversize = F.greatest(*(F.coalesce(F.char_length(name), F.lit(0)) for name in _IDS)) > rules.max_id_chars
    reason = (
        F.when(F.col(c.REASON).isNotNull(), F.col(c.REASON))
        .when(theirs.isin(ignored), IGNORED)
        .when(oversize, "oversize_id")
        .when(F.coalesce(c.DEVICE_ID, c.USER_ID).isNull(), "missing_user")
        .when(F.col(c.ITEM_ID).isNull(), "missing_item")
        .when(F.col(_TYPE).isNull(), "unknown_event_type")
        .otherwise(F.col(clocks.NO_TIME))
    )
    weight = F.coalesce(lookup(source.event_weights, F.col(_TYPE)), F.lit(1.0))
    return (
        timed.withColumn(c.REASON, reason)
        .withColumn(c.EVENT_TYPE, F.col(_TYPE))
        .withColumn(c.WEIGHT, weight)
        .withColumn(c.SITE, F.lit(source.site))
        .withColumn(c.IS_BOT, F.coalesce(F.col(c.USER_AGENT).rlike(rules.bot_user_agents), F.lit(False)))
        .drop(_TYPE, clocks.NO_TIME)
    )


def identify(checked: DataFrame, rules: IngestConfig) -> DataFrame:
    """The rows without a `reason`, with all columns of the table `events`, its key and status included.

    The key is the producer's id within the site. Where there is none it is a hash of the content
    and the time: the device's, or the collector's where the device gave none.
    """
    # What makes two rows with one id the same event. Transport times differ between deliveries of it.
    content = (*_TEXT_CONTENT, F.unix_micros(c.CREATED_TS).alias(c.CREATED_TS))
    else_received = F.when(F.col(c.CREATED_TS).isNull(), F.unix_micros(c.RECEIVED_TS)).alias(c.RECEIVED_TS)
    hashed = digest(F.to_json(F.struct(*content, else_received)))
    key = F.coalesce(F.concat(c.SITE, F.lit("/"), c.EVENT_ID), F.concat(c.SITE, F.lit("#"), hashed))
    is_late = F.col(c.RECEIVED_TS) - F.col(c.EVENT_TS) > F.lit(rules.late)
    return (
        checked.where(F.col(c.REASON).isNull())
        .withColumn(c.PAYLOAD_HASH, digest(F.to_json(F.struct(*content))))
        .withColumn(c.EVENT_KEY, key)
        .withColumn(c.SESSION_USER, F.coalesce(c.DEVICE_ID, c.USER_ID))
        .withColumn(c.STATUS, F.when(is_late, LATE).otherwise(ACCEPTED))
        .withColumn(c.EVENT_DATE, F.to_date(c.EVENT_TS))
    )
