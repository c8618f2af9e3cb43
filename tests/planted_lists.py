"""A lake with lists, sessions and users planted by a test, which fills in what it does not care about."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from lstmrec import columns as c
from lstmrec.lake.list_tables import RECOMMENDATIONS
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from lstmrec.lake.tables import SESSIONS, USERS
from tests.prepare.factories import rows

Click = tuple[str, datetime, str, str]
"""User, time, item and type of an event."""


def plant(lake: Lake, table: Table, values: Iterable[Mapping[str, Any]]) -> None:
    lake.append(table, rows(lake.spark, table.schema, values).coalesce(1))


def lists(run_date: date, items: Mapping[str, str], **other: Any) -> list[dict[str, Any]]:
    """Rows of `recommendations`: of each user an item a letter, a capital one from the popular ones."""
    scored_at = datetime.combine(run_date + timedelta(days=1), time(), UTC)
    filled = {
        c.RUN_DATE: run_date,
        c.SCORE: 1.0,
        c.REASON_CODE: "like_your_history",
        c.REASON_ITEM_IDS: [],
        c.PROPENSITY: 1.0,
        c.MODEL_VERSION: f"model of {run_date}",
        c.RULESET_VERSION: "rules",
        "table_versions": {"items": 1},
        "scored_at": scored_at,
        "expires_at": scored_at + timedelta(days=2),
    }
    return [
        filled
        | {c.USER_ID: user, c.RANK: rank, c.ITEM_ID: item.lower()}
        | {c.SOURCE: "popular" if item.isupper() else "model"}
        | other
        for user, own in items.items()
        for rank, item in enumerate(own, start=1)
    ]


def visits(clicks: Sequence[Click]) -> list[dict[str, Any]]:
    """Rows of `sessions`: one of each user's events in order, which may lie days apart."""
    by_user: dict[str, list[Click]] = {}
    for click in sorted(clicks, key=lambda click: click[1]):
        by_user.setdefault(click[0], []).append(click)
    return [
        {
            c.SESSION_ID: user,
            c.SITE: "shop",
            c.SESSION_USER: user,
            c.OPENED_TS: own[0][1],
            c.PART: 1,
            c.START_TS: own[0][1],
            c.END_TS: own[-1][1],
            c.N_EVENTS: len(own),
            c.ITEM_IDS: [item for _, _, item, _ in own],
            c.EVENT_TYPES: [kind for _, _, _, kind in own],
            c.EVENT_TIMES: [moment for _, moment, _, _ in own],
            c.IS_BOT: False,
            c.SESSION_DATE: own[0][1].date(),
        }
        for user, own in by_user.items()
    ]


def plant_lake(
    lake: Lake,
    recommendations: Sequence[Mapping[str, Any]],
    clicks: Sequence[Click],
    segments: Mapping[str, str],
) -> None:
    """The tables that outcomes are measured from; `segments` is a gender by user."""
    plant(lake, RECOMMENDATIONS, recommendations)
    plant(lake, SESSIONS, visits(clicks))
    known = [
        {c.USER_ID: user, c.ATTRIBUTES: {"gender": gender}, c.VALID_FROM: date(2026, 1, 1)}
        for user, gender in segments.items()
    ]
    plant(lake, USERS, known)
