"""Sessions: a user's events with no pause longer than the gap between them, cut to the caps afterwards."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    IntegerType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from lstmrec import columns as c
from lstmrec.prepare import bots, cut
from lstmrec.prepare.digest import digest
from lstmrec.prepare.events import ACCEPTED
from lstmrec.sections import SessionsConfig

_TEXTS: Final = ArrayType(StringType(), containsNull=False)
_PARTS: Final = StructType(
    [
        StructField(c.SITE, StringType()),
        StructField(c.SESSION_USER, StringType()),
        StructField(c.OPENED_TS, TimestampType()),
        StructField(c.PART, IntegerType()),
        StructField(c.START_TS, TimestampType()),
        StructField(c.END_TS, TimestampType()),
        StructField(c.N_EVENTS, IntegerType()),
        StructField(c.ITEM_IDS, _TEXTS),
        StructField(c.EVENT_TYPES, _TEXTS),
        StructField(c.EVENT_TIMES, ArrayType(TimestampType(), containsNull=False)),
        StructField(c.IS_BOT, BooleanType()),
        StructField(c.STITCHED_USER_ID, StringType()),
    ]
)


def sessionize(events: DataFrame, rules: SessionsConfig) -> DataFrame:
    """Rows of `sessions` from rows of `events`: a pure function of the set of accepted events.

    One row per session, or per part of a session that is over the caps. A pause of exactly the gap
    stays inside a session. The id hashes site, user, start and part, so another user's events, or a
    rerun, change no id. Late events are left out; bots' sessions are flagged, and never move a cut.
    """
    accepted = events.where(F.col(c.STATUS) == ACCEPTED).select(*cut.EVENT_COLUMNS)
    limits = cut.Limits(
        gap=_micros(rules.gap),
        max_duration=_micros(rules.max_duration),
        max_events=rules.max_events,
        bots=bots.Limits(
            events_per_minute=rules.bot_events_per_minute,
            duration=_micros(rules.bot_duration),
            steady_events=rules.bot_steady_events,
            steady_variation=rules.bot_steady_variation,
        ),
    )

    def fold(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return cut.fold(batches, limits)

    parts = accepted.repartition(c.SITE, c.SESSION_USER).mapInArrow(fold, _PARTS)
    return parts.withColumns({c.SESSION_ID: _session_id(), c.SESSION_DATE: F.to_date(c.START_TS)})


def _session_id() -> Column:
    """The digest of site, session user, start of the session in microseconds, part."""
    # As JSON, so that no user id with the separator in it can pass for another's
    identity = F.to_json(
        F.array(
            c.SITE, c.SESSION_USER, F.unix_micros(c.OPENED_TS).cast("string"), F.col(c.PART).cast("string")
        )
    )
    return digest(identity)


def _micros(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
