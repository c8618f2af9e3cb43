"""Which sessions a change of events can touch, and so which events are to be cut anew.

A session that no changed event comes closer to than the gap stays as it is: none of its own events
changed, and what lies beside it stays further away than the gap. All others, whole, and the changed
events are cut anew, by the same rules as a whole log (sessions.py).
"""

from datetime import timedelta
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.prepare.events import ACCEPTED

_USER: Final = (c.SITE, c.SESSION_USER)
_LOW: Final = "low"
_HIGH: Final = "high"


def runs(changed: DataFrame, gap: timedelta) -> DataFrame:
    """site, session_user, low, high: the stretches of time in which a user's accepted events changed.

    One row per run of changed events with no pause longer than `gap`.
    """
    accepted = changed.where(F.col(c.STATUS) == ACCEPTED)
    run = F.session_window(c.EVENT_TS, f"{gap // timedelta(microseconds=1)} microseconds")
    return accepted.groupBy(*_USER, run).agg(
        F.min(c.EVENT_TS).alias(_LOW), F.max(c.EVENT_TS).alias(_HIGH)
    ).drop("session_window")  # fmt: skip


def touched(sessions: DataFrame, changed_runs: DataFrame, gap: timedelta) -> DataFrame:
    """site, session_user, opened_ts of the sessions that lie within `gap` of a run, or in it."""
    near = (F.col(_LOW) - F.lit(gap) <= F.col(c.END_TS)) & (F.col(_HIGH) + F.lit(gap) >= F.col(c.START_TS))
    same_user = [sessions[name] == changed_runs[name] for name in _USER]
    found = sessions.join(changed_runs, on=[*same_user, near], how="left_semi")
    return found.select(*_USER, c.OPENED_TS).distinct()  # a session has several parts


def whole(sessions: DataFrame, opened: DataFrame) -> DataFrame:
    """All parts of the sessions in `opened`."""
    return sessions.join(opened, on=[*_USER, c.OPENED_TS], how="left_semi").select(*sessions.columns)


def stretches(changed_runs: DataFrame, old: DataFrame) -> DataFrame:
    """site, session_user, low, high: where events are to be cut anew, the runs and the `old` parts."""
    of_old = old.select(*_USER, F.col(c.START_TS).alias(_LOW), F.col(c.END_TS).alias(_HIGH))
    return changed_runs.select(*_USER, _LOW, _HIGH).unionByName(of_old)


def within(events: DataFrame, where: DataFrame) -> DataFrame:
    """The accepted events that lie in a stretch of `where`."""
    inside = (events[c.EVENT_TS] >= where[_LOW]) & (events[c.EVENT_TS] <= where[_HIGH])
    same_user = [events[name] == where[name] for name in _USER]
    return events.where(F.col(c.STATUS) == ACCEPTED).join(where, on=[*same_user, inside], how="left_semi")


def days(where: DataFrame, before: timedelta, after: timedelta) -> DataFrame:
    """The UTC days, in `day`, from `before` the start of a stretch to `after` its end."""
    first, last = F.to_date(F.col(_LOW) - F.lit(before)), F.to_date(F.col(_HIGH) + F.lit(after))
    return where.select(F.explode(_each_day(first, last)).alias("day")).distinct()  # stretches share days


def _each_day(first: Column, last: Column) -> Column:
    return F.sequence(first, last, F.expr("INTERVAL 1 DAY"))
