"""The lists of the run: whether they were published, what they are made of, how far they reach, samples."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.lake import views
from lstmrec.lake.list_tables import RECOMMENDATION_RUNS, RECOMMENDATIONS
from lstmrec.lake.model_tables import ITEM_INDEX
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import ITEMS, SESSIONS
from lstmrec.report.charts import Axis, Row, Series, bars, lines
from lstmrec.report.parts import Chart, Section, Table, nothing

_SOURCES: Final = ("model", "segment", "popular", "explore", "promoted")
_KINDS: Final = ("lists", "events")
_SHARES: Final = (0.0, 0.01, 0.02, *(n / 20 for n in range(1, 21)))


def of_gate(lake: Lake, run_date: date) -> Section:
    """The verdicts on the lists of `run_date`, by model and ruleset where there were several."""
    title = "Gate"
    if not lake.exists(RECOMMENDATION_RUNS):
        return nothing(title, "No lists were made yet; see score_recommendations.")
    of_date = lake.read(RECOMMENDATION_RUNS).where(F.col(c.RUN_DATE) == F.lit(run_date))
    runs = of_date.orderBy(c.MODEL_VERSION, c.RULESET_VERSION).collect()
    if not runs:
        return nothing(title, f"No lists were made for {run_date}; see score_recommendations.")
    tables = [
        Table(
            "Published" if run["is_published"] else "Not published: the lists before stay current",
            f"Model {run[c.MODEL_VERSION]}, rules {run[c.RULESET_VERSION]}, {run['n_users']:,} users.",
            [
                {
                    "rule": verdict["rule"],
                    "found": f"{verdict['value']:.4g}",
                    "allowed": verdict["limit"],
                    "verdict": "met" if verdict["is_met"] else f"not met: {verdict['told']}",
                }
                for verdict in run["verdicts"]
            ],
        )
        for run in runs
    ]
    n_met = sum(verdict["is_met"] for run in runs for verdict in run["verdicts"])
    n_rules = sum(len(run["verdicts"]) for run in runs)
    note = "What must hold before anybody sees the lists. Table recommendation_runs."
    return Section(title, note, {"rules met": f"{n_met} of {n_rules}"}, (), tables)


def of_lists(lake: Lake, run_date: date, n_runs: int) -> Section:
    """What the lists of `run_date` are made of, and how many items they reach."""
    title = "Lists"
    if not lake.exists(RECOMMENDATIONS):
        return nothing(title, "No lists were published yet; see score_recommendations.")
    lists = lake.read(RECOMMENDATIONS).where(F.col(c.RUN_DATE) == F.lit(run_date)).persist()
    n_rows, n_users, n_listed = lists.agg(
        F.count(F.lit(1)), F.count_distinct(c.USER_ID), F.count_distinct(c.ITEM_ID)
    ).collect()[0]
    if not n_rows:
        return nothing(title, f"None are published for {run_date}.")
    index = lake.read(ITEM_INDEX).where(F.col("added_on") <= F.lit(run_date))
    known = index.select(c.ITEM_ID)
    n_items = known.count()
    charts = [
        *_sources_by_run(lake, run_date, n_runs),
        _sources_by_rank(lists),
        _coverage(lists.join(known, on=c.ITEM_ID, how="left_semi"), n_items),
        _concentration(lists, _had(lake, run_date), n_items),
    ]
    lists.unpersist()
    tiles = {"users": n_users, "places": n_rows, "items in some list": n_listed, "items known": n_items}
    return Section(title, f"Published for {run_date}. Table recommendations.", tiles, charts)


def of_samples(lake: Lake, run_date: date, n_users: int) -> Section:
    """Whole lists of `n_users` users, chosen by a hash of their ids: the same users in a rerun."""
    title = "Sample lists"
    if not n_users:
        return nothing(title, "None: report.sample_users is 0.")
    if not lake.exists(RECOMMENDATIONS):
        return nothing(title, "No lists were published yet; see score_recommendations.")
    lists = lake.read(RECOMMENDATIONS).where(F.col(c.RUN_DATE) == F.lit(run_date))
    users = sample(lists, n_users)
    if not users:
        return nothing(title, f"No lists are published for {run_date}.")
    chosen = lists.where(F.col(c.USER_ID).isin(users))
    titled = views.with_titles(chosen, lake.read(ITEMS)).orderBy(c.USER_ID, c.RANK).collect()
    rows: dict[str, list[Row]] = {user: [] for user in users}
    for row in titled:
        title_or_id = row["title"] or row[c.ITEM_ID]
        told = {"source": row[c.SOURCE], "reason": row["reason"], "score": f"{row[c.SCORE]:.4g}"}
        rows[row[c.USER_ID]].append({"rank": row[c.RANK], "title": title_or_id, **told})
    tables = [Table(f"User {user}", "", own) for user, own in rows.items()]
    return Section(title, f"{len(users)} users, chosen by a hash of their ids.", {}, (), tables)


def sample(lists: DataFrame, n_users: int) -> list[str]:
    """So many users of the lists, by a hash of their ids."""
    firsts = lists.where(F.col(c.RANK) == 1).orderBy(F.xxhash64(c.USER_ID), c.USER_ID).take(n_users)
    return [row[c.USER_ID] for row in firsts]


def _sources_by_run(lake: Lake, run_date: date, n_runs: int) -> list[Chart]:
    counted = (
        lake.read(RECOMMENDATIONS)
        .where(F.col(c.RUN_DATE) <= F.lit(run_date))
        .groupBy(c.RUN_DATE, c.SOURCE)
        .count()
        .collect()
    )
    days = sorted({row[c.RUN_DATE] for row in counted})[-n_runs:]
    n = {(row[c.RUN_DATE], row[c.SOURCE]): row["count"] for row in counted}
    rows: list[Row] = [
        {"run date": str(day), "places": n[day, source], "source": source}
        for day in days
        for source in _SOURCES
        if (day, source) in n
    ]
    if len(days) < 2:
        return []
    spec = bars(rows, Axis("run date", "ordinal"), Axis("places"), Series("source", _SOURCES))
    return [Chart("Where items come from", f"Places by run date, the last {len(days)}.", rows, spec)]


def _sources_by_rank(lists: DataFrame) -> Chart:
    counted = lists.groupBy(c.RANK, c.SOURCE).count().collect()
    n = {(row[c.RANK], row[c.SOURCE]): row["count"] for row in counted}
    rows: list[Row] = [
        {"rank": rank, "places": n[rank, source], "source": source}
        for rank in sorted({rank for rank, _ in n})
        for source in _SOURCES
        if (rank, source) in n
    ]
    spec = bars(rows, Axis("rank", "ordinal", form="d"), Axis("places"), Series("source", _SOURCES))
    return Chart("Where items come from, by rank", "Places of this run's lists.", rows, spec)


def _coverage(lists: DataFrame, n_items: int) -> Chart:
    best = lists.groupBy(c.ITEM_ID).agg(F.min(c.RANK).alias(c.RANK))
    new_at = {row[c.RANK]: row["count"] for row in best.groupBy(c.RANK).count().collect()}
    n_ranks = lists.agg(F.max(c.RANK)).collect()[0][0] or 0
    reached = np.cumsum([new_at.get(rank, 0) for rank in range(1, n_ranks + 1)])
    rows: list[Row] = [
        {
            "length of the lists": rank,
            "share of items": int(n) / max(1, n_items),
            "items": int(n),
            "of": "lists",
        }
        for rank, n in enumerate(reached, start=1)
    ]
    across, up = Axis("length of the lists", form="d"), Axis("share of items", form=".0%")
    note = f"Items that stand in at least one list, of the {n_items:,} of item_index, if lists were shorter."
    return Chart("How many items are reached", note, rows, lines(rows, across, up, Series("of", _KINDS)))


def _concentration(lists: DataFrame, had: DataFrame, n_items: int) -> Chart:
    rows: list[Row] = [
        {"share of items": share, "share of the whole": held, "of": kind}
        for kind, frame in zip(_KINDS, (lists, had), strict=True)
        for share, held in zip(_SHARES, concentration(frame, n_items, _SHARES), strict=True)
    ]
    across, up = Axis("share of items", form=".0%"), Axis("share of the whole", form=".0%")
    note = (
        f"How much of all places in lists, and of all events, the most frequent of {n_items:,} items have: "
        "the steeper, the fewer take all. A straight line would be all alike."
    )
    return Chart("Popularity", note, rows, lines(rows, across, up, Series("of", _KINDS)))


def concentration(rows: DataFrame, n_items: int, shares: Sequence[float]) -> list[float]:
    """What share of `rows` the most frequent items have, of `n_items`, for each share of items.

    Six rows of items a, a, a, b, b, c among four items: the first quarter of items has 1/2, half have
    5/6, three quarters all. Only how many items come how often is brought here.
    """
    times = rows.groupBy(c.ITEM_ID).count().groupBy("count").agg(F.count(F.lit(1)).alias("items"))
    found = times.orderBy(F.desc("count")).collect()
    items = np.cumsum([0, *(row["items"] for row in found)])
    held = np.cumsum([0, *(row["items"] * row["count"] for row in found)])
    return [float(each) for each in np.interp(np.array(shares) * n_items, items, held / max(1, held[-1]))]


def _had(lake: Lake, run_date: date) -> DataFrame:
    of_people = ~F.col(c.IS_BOT) & (F.col(c.SESSION_DATE) <= F.lit(run_date))
    return lake.read(SESSIONS).where(of_people).select(F.explode(c.ITEM_IDS).alias(c.ITEM_ID))
