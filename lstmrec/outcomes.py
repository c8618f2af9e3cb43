"""The bridge from the lake's lists and events to rows of `outcomes`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake.list_tables import RECOMMENDATION_RUNS, RECOMMENDATIONS
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import SESSIONS, USERS
from lstmrec.lake.validity import valid_on
from lstmrec.prepare import attribution, histories, rates, slices
from lstmrec.prepare.attribution import CLICK_SECONDS, IS_REPEATED, IS_SHOWN, N_BEFORE
from lstmrec.rank import estimates, off_policy
from lstmrec.rank.estimates import RatioSums
from lstmrec.rank.off_policy import Logged
from lstmrec.sections import EvaluationConfig

SHOWN: Final = "shown"
PREVIOUS: Final = "previous"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SUMS: Final = [field.name for field in fields(RatioSums)]

Outcome = dict[str, Any]


@dataclass(frozen=True)
class Served:
    """The lists of a date, those of the newest date before it, and from when until when events count."""

    lists: DataFrame
    before: DataFrame
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Measured:
    """What came of the lists of a date, and how many lists each slice has, also where it has none.

    `refused_for` are the rules of the gate that kept the lists from being published.
    """

    list_date: date
    rows: Sequence[Outcome]
    places: Mapping[str, int]
    n_lists: Mapping[str, int]
    refused_for: Sequence[str]


def measure(lake: Lake, config: Config, run_date: date) -> Measured:
    """What came, up to the end of `run_date`, of the lists of `window_days` before; nothing without lists."""
    rules = config.outcomes
    list_date = run_date - timedelta(days=rules.window_days)
    n_lists = dict.fromkeys(slices.always_told_of_users(config.evaluation), 0)
    served = find(lake, list_date, rules.window_days)
    if served is None:
        return Measured(list_date, [], {}, n_lists, _refused_for(lake, list_date))

    owned = histories.owned_events(lake.read(SESSIONS), run_date)
    time = F.col(c.EVENT_TS)
    events = owned.where((time >= F.lit(served.since)) & (time < F.lit(served.until)))
    places = attribution.places(
        served.lists, served.before, events, rules.click_types, rules.purchase_types
    ).persist()
    known = valid_on(lake.read(USERS), list_date)
    sliced = _sliced(served.lists, owned, known, list_date, config.evaluation)
    ks = [k for k in config.evaluation.ks if k <= config.scoring.n]
    summed = rates.sums(places, sliced, ks).collect()

    shown = [_of_shown(row) for row in summed if rules.purchase_types or row["metric"] != rates.PURCHASE_RATE]
    labels = {
        c.RUN_DATE: run_date,
        "list_date": list_date,
        "window_days": rules.window_days,
        "table_versions": {
            table.name: lake.versions[table.name] for table in (RECOMMENDATIONS, SESSIONS, USERS)
        },
    }
    of_lists = labels | _versions(served.lists)
    rows = [of_lists | row for row in shown]
    if not served.before.isEmpty():
        of_before = labels | _versions(served.before)
        rows += [of_before | row for row in _of_previous(places, config.evaluation)]
    n_lists |= {row[c.SLICE]: row[rates.N_OFFERED] for row in summed if rates.counts_lists(row)}
    became = _what_became(places)
    places.unpersist()
    return Measured(list_date, rows, became, n_lists, [])


def find(lake: Lake, list_date: date, window_days: int) -> Served | None:
    """The lists of `list_date`, None where none were published.

    Events count from scored_at on, for `window_days`, or until the lists expire or newer ones come out.
    """
    lake.create(RECOMMENDATIONS)
    every, day = lake.read(RECOMMENDATIONS), F.col(c.RUN_DATE)
    lists, earlier = every.where(day == F.lit(list_date)), every.where(day < F.lit(list_date))
    newer = every.where((day > F.lit(list_date)) & (day < F.lit(list_date + timedelta(days=window_days))))
    since, expiry = _earliest(lists, "scored_at", "expires_at")
    if since is None:
        return None
    ends = [since + timedelta(days=window_days), expiry, *_earliest(newer, "scored_at")]
    before = earlier.where(day == F.lit(earlier.agg(F.max(day)).collect()[0][0]))
    return Served(lists, before, since, min(end for end in ends if end is not None))


def _refused_for(lake: Lake, list_date: date) -> list[str]:
    lake.create(RECOMMENDATION_RUNS)
    of_date = lake.read(RECOMMENDATION_RUNS).where(F.col(c.RUN_DATE) == F.lit(list_date))
    return sorted({v["rule"] for run in of_date.collect() for v in run["verdicts"] if not v["is_met"]})


def _earliest(lists: DataFrame, *columns: str) -> list[datetime | None]:
    """The least of each column, None without rows: the lists of one date are all as of one instant."""
    # as numbers, since PySpark gives instants in the driver's own time zone
    least = lists.agg(*(F.min(F.unix_micros(name)) for name in columns)).collect()[0]
    return [None if micros is None else _EPOCH + timedelta(microseconds=micros) for micros in least]


def _sliced(
    lists: DataFrame, owned: DataFrame, known: DataFrame, list_date: date, rules: EvaluationConfig
) -> DataFrame:
    """user_id and slices of everybody with a list, by what they had had when it was made."""
    before = owned.where(F.to_date(c.EVENT_TS) <= F.lit(list_date))
    had = before.groupBy(c.USER_ID).agg(F.count_distinct(c.ITEM_ID).alias(c.N_ITEMS))
    users = lists.select(c.USER_ID).distinct()  # a list has a row a rank
    return slices.with_user_slices(
        users.join(had, on=c.USER_ID, how="left").fillna(0, [c.N_ITEMS]), known, rules
    )


def _versions(lists: DataFrame) -> Outcome:
    """Model and rules of the lists of one date: a run replaces the date whole."""
    return lists.select(c.MODEL_VERSION, c.RULESET_VERSION).take(1)[0].asDict()


def _of_shown(row: Row) -> Outcome:
    own = {name: row[name] for name in (c.SLICE, c.SOURCE, c.RANK, "metric", "k", rates.N_OFFERED)}
    own |= {"policy": SHOWN, "n": int(row["over"])}
    if not row["over"]:
        return own | {"n_users": 0, "value": None, "ci_low": None, "ci_high": None}
    return own | asdict(estimates.ratio(row["metric"], row["k"], RatioSums(*(row[name] for name in _SUMS))))


def _of_previous(places: DataFrame, rules: EvaluationConfig) -> Iterator[Outcome]:
    """What the lists before would have come to, where places were drawn by chance, else nothing."""
    if places.where(F.col(c.PROPENSITY) < 1).isEmpty():
        return
    weight = F.when(F.col(IS_REPEATED), 1 / F.col(c.PROPENSITY)).otherwise(0.0)
    is_clicked = F.isnotnull(CLICK_SECONDS)
    per_user = (
        places.where(F.col(IS_SHOWN) & F.isnotnull(N_BEFORE))
        .groupBy(c.USER_ID)
        .agg(
            # rounded, so that the order of the sum does not show
            F.round(F.sum(F.when(is_clicked, weight).otherwise(0.0)), 9).alias("clicks"),
            F.round(F.sum(weight), 9).alias("weights"),
            F.max(N_BEFORE).cast("double").alias("places"),
            F.count_if(IS_REPEATED).alias("n"),
        )
    )
    keys = ["clicks", "weights", "places"]
    alike = per_user.groupBy(*keys).agg(F.count(F.lit(1)).alias("n_users"), F.sum("n").alias("n")).toPandas()
    alike = alike.sort_values(keys, ignore_index=True)  # a bootstrap draws in this order
    clicks, weights, lengths, n_users, matched = (
        alike[name].to_numpy(np.float64) for name in (*keys, "n_users", "n")
    )
    logged = Logged(clicks, weights, lengths, n_users.astype(np.int64))
    for estimate in off_policy.click_through(
        logged, "click_through", rules.bootstrap_resamples, rules.bootstrap_seed
    ):
        yield {
            **asdict(estimate),
            "policy": PREVIOUS,
            c.SLICE: slices.ALL,
            c.SOURCE: rates.ALL,
            c.RANK: 0,
            "n": int(matched.sum()),
            rates.N_OFFERED: int(lengths @ n_users),
        }


def _what_became(places: DataFrame) -> dict[str, int]:
    row = places.agg(
        F.count_if(F.isnotnull(CLICK_SECONDS)).alias("clicked"),
        F.count_if(F.col(IS_SHOWN) & F.isnull(CLICK_SECONDS)).alias("not_clicked"),
        F.count_if(~F.col(IS_SHOWN)).alias("not_shown"),
    ).collect()[0]
    return row.asDict()
