"""What a run came to, as text for a terminal."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.lake import accounting
from lstmrec.lake.list_tables import RECOMMENDATIONS
from lstmrec.lake.model_tables import METRICS
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import ALL, ITEMS
from lstmrec.lake.validity import valid_on
from lstmrec.report import traffic
from lstmrec.report.lists import sample

_RULE: Final = "-" * 78
_NOT_EVALUATED: Final = "nothing was evaluated for this date"
_NOT_PUBLISHED: Final = "none are published for this date"


def summary(lake: Lake, run_date: date, n: int, n_users: int) -> str:
    """Rows in and what became of them, sessions, metrics, tables, and `n_users` lists with titles."""
    sections = {
        f"Rows in, and what became of them (run_accounting, {run_date})": _books(lake, run_date),
        "Sessions": _sessions(lake, run_date),
        f"Held-out items, ranked among all (metrics, {run_date}; 95 % interval)": _metrics(lake, run_date),
        "Tables": [f"{table.name:<22}{lake.path(table)}" for table in ALL if lake.exists(table)],
    }
    if n_users:
        sections[f"Lists of {n_users} users (recommendations, {run_date})"] = _lists(
            lake, run_date, n, n_users
        )
    return "\n".join(line for title, lines in sections.items() for line in ("", title, _RULE, *lines))


def _books(lake: Lake, run_date: date) -> list[str]:
    lines = []
    for job, outcomes in traffic.books(lake, run_date).items():
        parts = ", ".join(f"{name} {n:,}" for name, n in outcomes.items() if n and name != accounting.ROWS_IN)
        lines.append(f"{job:<24}{outcomes[accounting.ROWS_IN]:>9,} = {parts or 'nothing'}")
    return lines


def _sessions(lake: Lake, run_date: date) -> list[str]:
    found = traffic.session_facts(traffic.up_to(lake, run_date))
    if not found["sessions"]:
        return ["none"]
    return [
        f"{found['sessions']:,} sessions of {found['users']:,} users; median {found['median events']:.0f} "
        f"events in {found['median minutes']:.1f} minutes; {found['by bots']:,} by bots"
    ]


def _metrics(lake: Lake, run_date: date) -> list[str]:
    if not lake.exists(METRICS):
        return [_NOT_EVALUATED]
    rows = (
        _of(lake.read(METRICS), run_date).where("metric IN ('hit_rate', 'ndcg') AND slice = 'all'").collect()
    )
    if not rows:
        return [_NOT_EVALUATED]
    heads = sorted({(r["metric"], r["k"]) for r in rows})
    cells = {(r["model"], r["metric"], r["k"]): r for r in rows}
    shown: Sequence[tuple[str, int]] = [head for head in heads if head[1] == 10] or heads
    lines = [" " * 24 + "".join(f"{f'{metric}@{k}':<26}" for metric, k in shown)]
    for model in sorted({r["model"] for r in rows}, key=lambda m: -cells[(m, *shown[-1])]["value"]):
        values = (cells[(model, *head)] for head in shown)
        estimates = (f"{v['value']:.4f} ({v['ci_low']:.4f}-{v['ci_high']:.4f})" for v in values)
        lines.append(f"{model:<24}" + "".join(f"{text:<26}" for text in estimates))
    lines.append(f"{rows[0]['n_users']:,} users, leave-one-out, seen items removed, ties count against")
    return lines


def _lists(lake: Lake, run_date: date, n: int, n_users: int) -> list[str]:
    if not lake.exists(RECOMMENDATIONS):
        return [_NOT_PUBLISHED]
    lists = _of(lake.read(RECOMMENDATIONS), run_date)
    users = sample(lists, n_users)
    if not users:
        return [_NOT_PUBLISHED]
    titled = lists.where(F.col(c.USER_ID).isin(users)).join(
        valid_on(lake.read(ITEMS), run_date).select(c.ITEM_ID, "title"), on=c.ITEM_ID, how="left"
    )
    rows = titled.where(F.col(c.RANK) <= n).orderBy(c.USER_ID, c.RANK).collect()
    lines = []
    for user in users:
        own = [row for row in rows if row[c.USER_ID] == user]
        lines.append(f"user {user} ({own[0][c.SOURCE]})")
        lines += [f"  {row[c.RANK]:>2}  {row['title'] or row[c.ITEM_ID]}" for row in own]
    return lines


def _of(rows: DataFrame, run_date: date) -> DataFrame:
    return rows.where(F.col(c.RUN_DATE) == F.lit(run_date))
