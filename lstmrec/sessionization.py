"""The bridge from `events` to `sessions`: what changed since the last cut, cut anew, in one commit."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import BrokenContract
from lstmrec.lake import accounting, history
from lstmrec.lake.history import CHANGE_TYPE
from lstmrec.lake.store import Lake
from lstmrec.lake.table import on_days
from lstmrec.lake.tables import EVENTS, SESSIONS
from lstmrec.prepare import recut
from lstmrec.prepare.events import ACCEPTED, LATE
from lstmrec.prepare.sessions import sessionize
from lstmrec.sections import SessionsConfig

_CUT: Final = "cut"
_IN_SESSIONS: Final = "in_sessions"
_MOMENT: Final = timedelta(0)


@dataclass(frozen=True)
class LastCut:
    """What the newest commit of `sessions` says: up to which events, by which rules, with what books."""

    events_version: int
    rules: str
    run_id: str
    rows_in: int
    books: Mapping[str, int]


@dataclass(frozen=True)
class Cut:
    """Sessions cut anew, and the stored rows that they stand in for; `old` is None where all are new."""

    new: DataFrame
    old: DataFrame | None
    rows_in: int
    books: dict[str, int]


def last_cut(lake: Lake) -> LastCut | None:
    """The newest cut, None where there is none."""
    remark = history.last_remark(lake, SESSIONS, _CUT)
    if remark is None:
        return None
    return LastCut(events_version=remark["reads"][EVENTS.name], **remark[_CUT])


def is_up_to_date(lake: Lake, last: LastCut, rules: SessionsConfig) -> bool:
    """Whether a cut now would be of the same events by the same rules."""
    lake.read(EVENTS)
    return last.events_version == lake.versions[EVENTS.name] and last.rules == _fingerprint(rules)


def cut(lake: Lake, rules: SessionsConfig, last: LastCut | None, from_day: date | None) -> Cut:
    """The sessions that changed events can touch, and all from `from_day` on where it is given, cut anew.

    All sessions where there is no last cut, where its rules were others, or where `events` no longer
    knows what changed since.

    Raises
    ------
    BrokenContract
        Where the new sessions do not hold the old ones' events and the changes, no more and no less.
    """
    events = lake.read(EVENTS)
    changed = history.changes(lake, EVENTS, last.events_version) if last is not None else None
    if last is None or changed is None or last.rules != _fingerprint(rules):
        return _cut_all(events, rules)
    if from_day is not None:
        again = events.where(F.col(c.EVENT_DATE) >= F.lit(from_day)).withColumn(CHANGE_TYPE, F.lit(None))
        changed = changed.unionByName(again).persist()
    runs = recut.runs(changed, rules.gap).persist()
    old = _touched(lake, runs, rules, from_day).persist()
    where = recut.stretches(runs, old).persist()
    days = _days(recut.days(where, _MOMENT, _MOMENT))
    to_cut = recut.within(events.where(F.col(c.EVENT_DATE).isin(days)), where)
    new = sessionize(to_cut, rules).select(*SESSIONS.columns).persist()

    n_events, n_late = _n_events(new), changed.where(_is_new_state() & (F.col(c.STATUS) == LATE)).count()
    if from_day is None:
        _require_conserved(changed, _n_events(old), n_events)
    return Cut(new, old, to_cut.count() + n_late, {_IN_SESSIONS: n_events, LATE: n_late})


def publish(lake: Lake, made: Cut, rules: SessionsConfig, run_id: str) -> None:
    """Write the new sessions in place of the old ones, in one commit that says what it is of."""
    cut = {"rules": _fingerprint(rules), "run_id": run_id, "rows_in": made.rows_in, "books": made.books}
    if made.old is None:
        lake.replace(SESSIONS, made.new, {_CUT: cut})
        return
    changed = made.new.exceptAll(made.old).persist()
    outdated = made.old.exceptAll(made.new).persist()
    gone = outdated.join(changed, on=c.SESSION_ID, how="left_anti")
    days = _days(changed.unionByName(outdated).select(c.SESSION_DATE).distinct())
    lake.amend(SESSIONS, changed, gone, on_days(c.SESSION_DATE, days), "true", {_CUT: cut})
    for frame in (changed, outdated, made.new, made.old):
        frame.unpersist()


def _cut_all(events: DataFrame, rules: SessionsConfig) -> Cut:
    new = sessionize(events, rules).select(*SESSIONS.columns).persist()
    by_status = accounting.count_outcomes(events.select(c.STATUS))
    books = {_IN_SESSIONS: _n_events(new), LATE: by_status.get(LATE, 0)}
    return Cut(new, None, sum(by_status.values()), books)


def _touched(lake: Lake, runs: DataFrame, rules: SessionsConfig, from_day: date | None) -> DataFrame:
    """The stored parts of all sessions that the runs can touch, and of those from `from_day` on."""
    sessions = lake.read(SESSIONS)
    # A part starts no more than max_duration before it ends
    days = _days(recut.days(runs, rules.gap + rules.max_duration, rules.gap))
    opened = recut.touched(sessions.where(F.col(c.SESSION_DATE).isin(days)), runs, rules.gap)
    if from_day is not None:
        onward = sessions.where(F.col(c.SESSION_DATE) >= F.lit(from_day))
        opened = opened.unionByName(onward.select(*opened.columns))
    opened = opened.persist()
    first = opened.agg(F.min(F.to_date(c.OPENED_TS))).collect()[0][0]
    since_then = sessions.where(F.col(c.SESSION_DATE) >= F.lit(first))
    return recut.whole(since_then, opened)


def _require_conserved(changed: DataFrame, n_old: int, n_new: int) -> None:
    net = F.when(_is_new_state(), 1).otherwise(-1)
    accepted = changed.where(F.col(c.STATUS) == ACCEPTED)
    (change,) = accepted.agg(F.coalesce(F.sum(net), F.lit(0))).collect()[0]
    if n_old + change != n_new:
        raise BrokenContract(
            f"{SESSIONS.name}: the touched sessions held {n_old} events, {change:+d} came, but {n_new} are "
            "in the new ones; `sessions` and `events` disagree: run build_sessions with --from the day "
            "since when they do"
        )


def _is_new_state() -> Column:
    return F.col(CHANGE_TYPE).isin("insert", "update_postimage")


def _n_events(sessions: DataFrame) -> int:
    (total,) = sessions.agg(F.coalesce(F.sum(c.N_EVENTS), F.lit(0)).cast("long")).collect()[0]
    return int(total)


def _days(days: DataFrame) -> list[date]:
    return [row[0] for row in days.collect()]


def _fingerprint(rules: SessionsConfig) -> str:
    return hashlib.sha256(rules.model_dump_json().encode()).hexdigest()[:12]
