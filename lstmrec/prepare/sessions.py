"""Sessions: a user's events with no pause longer than the gap between them, cut to the caps afterwards."""

from datetime import timedelta
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.prepare.events import ACCEPTED
from lstmrec.sections import SessionsConfig

_USER: Final = (c.SITE, c.SESSION_USER)
_IN_ORDER: Final = (c.EVENT_TS, c.RECEIVED_TS, c.EVENT_KEY)  # total: keys settle equal times


def sessionize(events: DataFrame, rules: SessionsConfig) -> DataFrame:
    """Rows of `sessions` from rows of `events`: a pure function of the set of accepted events.

    One row per session, or per part of a session that is over the caps. A pause of exactly the gap
    stays inside a session. The id hashes site, user, start and part, so another user's events, or a
    rerun, change no id. Late events are left out; bots' sessions are flagged, and never move a cut.
    """
    accepted = events.where(F.col(c.STATUS) == ACCEPTED)
    return _fold(_part(_open(accepted, rules.gap), rules))


def _open(events: DataFrame, gap: timedelta) -> DataFrame:
    """Give every event the start of its session, in `opened_ts`."""
    in_order = Window.partitionBy(*_USER).orderBy(*_IN_ORDER)
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    micros = F.unix_micros(c.EVENT_TS)
    pause = micros - F.lag(micros).over(in_order)
    opens = pause.isNull() | (pause > _micros(gap))
    return (
        events.withColumn("_opens", F.when(opens, F.col(c.EVENT_TS)))
        .withColumn(c.OPENED_TS, F.last("_opens", ignorenulls=True).over(so_far))
        .drop("_opens")
    )


def _part(events: DataFrame, rules: SessionsConfig) -> DataFrame:
    """Number the parts of every session from 1, and tell what holds of it as a whole.

    A part ends after each stretch of max_hours since the session's start, and within a stretch after
    each max_events events.
    """
    session = Window.partitionBy(*_USER, c.OPENED_TS)
    elapsed = F.unix_micros(c.EVENT_TS) - F.unix_micros(c.OPENED_TS)
    stretch = F.greatest(F.ceil(elapsed / _micros(rules.max_duration)) - 1, F.lit(0))
    place = F.row_number().over(session.partitionBy(*_USER, c.OPENED_TS, "_stretch").orderBy(*_IN_ORDER))
    minutes = F.max(elapsed).over(session) / _micros(timedelta(minutes=1))
    too_fast = (minutes >= 1) & (F.count(F.lit(1)).over(session) > minutes * rules.bot_events_per_minute)
    return (
        events.withColumn("_stretch", stretch)
        .withColumn("_chunk", F.floor((place - 1) / rules.max_events))
        .withColumn(c.PART, F.dense_rank().over(session.orderBy("_stretch", "_chunk")))
        .withColumn("_first_login", F.min(_login()).over(session))
        .withColumn(c.IS_BOT, F.max(c.IS_BOT).over(session) | too_fast)
    )


def _fold(events: DataFrame) -> DataFrame:
    """One row per session part, its events in order."""
    event = F.struct(*_IN_ORDER, c.ITEM_ID, c.EVENT_TYPE)
    folded = events.groupBy(*_USER, c.OPENED_TS, c.PART).agg(
        F.array_sort(F.collect_list(event)).alias("_events"),
        F.first(F.col("_first_login")[c.USER_ID]).alias(c.STITCHED_USER_ID),
        F.first(c.IS_BOT).alias(c.IS_BOT),
    )
    in_order = F.col("_events")
    return (
        folded.withColumns(
            {
                c.SESSION_ID: _session_id(),
                c.START_TS: in_order[0][c.EVENT_TS],
                c.END_TS: F.element_at(in_order, -1)[c.EVENT_TS],
                c.N_EVENTS: F.size(in_order),
                c.ITEM_IDS: in_order[c.ITEM_ID],
                c.EVENT_TYPES: in_order[c.EVENT_TYPE],
                c.EVENT_TIMES: in_order[c.EVENT_TS],
            }
        )
        .withColumn(c.SESSION_DATE, F.to_date(c.START_TS))
        .drop("_events")
    )


def _login() -> Column:
    """Order and user of an event with a known user, else null: the smallest is the first login."""
    return F.when(F.col(c.USER_ID).isNotNull(), F.struct(*_IN_ORDER, c.USER_ID))


def _session_id() -> Column:
    """The first 128 bits of SHA-256 over site, session user, start of the session in microseconds, part."""
    # As JSON, so that no user id with the separator in it can pass for another's
    identity = F.to_json(
        F.array(
            c.SITE, c.SESSION_USER, F.unix_micros(c.OPENED_TS).cast("string"), F.col(c.PART).cast("string")
        )
    )
    return F.substring(F.sha2(identity, 256), 1, 32)


def _micros(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
