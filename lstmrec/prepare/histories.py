"""Histories: all items of a user (or of a session) in order, as dense indices, with types and pauses."""

from collections.abc import Mapping, Set
from datetime import date, timedelta
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.columns import GAP_BUCKETS

_EVENT: Final = "_event"
_PLACE: Final = "_place"
_NO_PREVIOUS: Final = 1


def type_vocabulary(event_types: Set[str]) -> dict[str, int]:
    """Our event types -> index from 1 on, in alphabetical order."""
    return {name: place for place, name in enumerate(sorted(event_types), start=1)}


def build(
    sessions: DataFrame, index: DataFrame, types: Mapping[str, int], grain: str, run_date: date
) -> DataFrame:
    """One row per user (or session): sequence_id, user_id, end_ts; arrays items, types, gaps, oldest first.

    The events are those of `owned_events`, without items that have no index; an owner with no event
    left has no row.
    """
    sequence_id = F.col(c.SESSION_ID if grain == "session" else c.USER_ID)
    known_type = F.create_map(*(F.lit(part) for pair in types.items() for part in pair))
    events = owned_events(sessions, run_date).join(
        index.select(c.ITEM_ID, c.ITEM_INDEX), on=c.ITEM_ID, how="inner"
    )
    step = F.struct(
        F.col(c.EVENT_TS).alias("time"),
        F.col(c.SESSION_ID),
        F.col(_PLACE),
        F.col(c.ITEM_INDEX).alias("item"),
        known_type[F.col(c.EVENT_TYPE)].alias("type"),
    )
    steps = F.array_sort(F.collect_list(step)).alias("_steps")
    return (
        events.groupBy(sequence_id.alias(c.SEQUENCE_ID), c.USER_ID)
        .agg(steps)
        .select(
            c.SEQUENCE_ID,
            c.USER_ID,
            F.col("_steps")["item"].alias(c.ITEMS),
            F.col("_steps")["type"].alias(c.TYPES),
            _gap_buckets(F.col("_steps")["time"]).alias(c.GAPS),
            F.element_at("_steps", -1)["time"].alias(c.END_TS),
        )
    )


def owned_events(sessions: DataFrame, run_date: date) -> DataFrame:
    """Events in `sessions` up to `run_date` with the user they belong to; those of bots are left out.

    One row per event: user_id, session_id, item_id, event_type, event_ts. A device's sessions belong to
    the user who logged in on it next, or else last, or else to the device itself.
    """
    event = F.posexplode(F.arrays_zip(c.ITEM_IDS, c.EVENT_TYPES, c.EVENT_TIMES)).alias(_PLACE, _EVENT)
    return (
        _owned(sessions.where(~F.col(c.IS_BOT)))
        .select(c.USER_ID, c.SESSION_ID, event)
        .where(F.to_date(F.col(_EVENT)[c.EVENT_TIMES]) <= F.lit(run_date))
        .select(
            c.USER_ID,
            c.SESSION_ID,
            _PLACE,
            F.col(_EVENT)[c.ITEM_IDS].alias(c.ITEM_ID),
            F.col(_EVENT)[c.EVENT_TYPES].alias(c.EVENT_TYPE),
            F.col(_EVENT)[c.EVENT_TIMES].alias(c.EVENT_TS),
        )
    )


def with_cold_users(warm: DataFrame, known_users: DataFrame) -> DataFrame:
    """user_id, items, types, gaps, length: of `warm`, and an empty row for each other known user."""
    columns = [c.USER_ID, c.ITEMS, c.TYPES, c.GAPS, c.LENGTH]
    nothing = F.array().cast("array<int>")
    empty = {**dict.fromkeys((c.ITEMS, c.TYPES, c.GAPS), nothing), c.LENGTH: F.lit(0)}
    cold = known_users.select(c.USER_ID).join(warm.select(c.USER_ID), on=c.USER_ID, how="left_anti")
    return warm.select(*columns).unionByName(cold.withColumns(empty))


def _owned(sessions: DataFrame) -> DataFrame:
    """Sessions with the user they belong to, in user_id."""
    device = Window.partitionBy(c.SITE, c.SESSION_USER).orderBy(c.START_TS, c.PART)
    onward = device.rowsBetween(Window.currentRow, Window.unboundedFollowing)
    so_far = device.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    known = F.col(c.STITCHED_USER_ID)
    owner = F.coalesce(
        F.first(known, ignorenulls=True).over(onward),
        F.last(known, ignorenulls=True).over(so_far),
        F.col(c.SESSION_USER),
    )
    return sessions.withColumn(c.USER_ID, owner)


def _gap_buckets(times: Column) -> Column:
    """Per event the bucket of the seconds since the previous one: 2 + floor(log2(1 + seconds))."""

    def bucket(time: Column, place: Column) -> Column:
        previous = F.element_at(times, F.greatest(place, F.lit(1)))
        seconds = (F.unix_micros(time) - F.unix_micros(previous)) / (
            timedelta(seconds=1) // timedelta(microseconds=1)
        )
        by_size = F.least(F.lit(2) + F.floor(F.log2(seconds + 1)), F.lit(GAP_BUCKETS - 1))
        return F.when(place == 0, F.lit(_NO_PREVIOUS)).otherwise(by_size).cast("int")

    return F.transform(times, bucket)
