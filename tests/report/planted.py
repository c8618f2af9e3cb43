"""A lake whose page can be worked out by hand: a Monday before, the run of Tuesday, and a Wednesday after.

Wednesday's rows are there to be left out: a page tells of its run date and of those before it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from lstmrec.lake import tables as t
from lstmrec.lake.outcome_tables import OUTCOMES
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from lstmrec.learn.spec import EpochRecord, TrainingResult
from tests.prepare.factories import rows, session

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 1, day) for day in (26, 27, 28))
EVIL = "<script>document.title = 'evil'</script>"
TITLES = {"a": EVIL, "b": "Bees & <b>Co</b>", "c": None, "d": "Dee"}


def at(day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def plant(lake: Lake, folder: Path) -> None:
    """Fill the lake; the newest model's artifact is in `folder`."""
    for table, values in (
        (t.RUN_ACCOUNTING, books()),
        (t.SESSIONS, sessions()),
        (t.ITEMS, items()),
        (t.ITEM_INDEX, index()),
        (t.MODEL_RUNS, model_runs(folder)),
        (t.METRICS, metrics()),
        (t.COMPARISONS, comparisons()),
        (t.RECOMMENDATIONS, lists()),
        (t.RECOMMENDATION_RUNS, gates()),
        (OUTCOMES, outcomes()),
    ):
        put(lake, table, values)


def put(lake: Lake, table: Table, values: Iterable[Mapping[str, Any]]) -> None:
    lake.append(table, rows(lake.spark, table.schema, values).coalesce(1))


def books() -> list[dict[str, Any]]:
    """Tuesday's log came in two batches, of six rows and of four."""
    told = {
        (MONDAY, "ingest_events", "m"): {"rows_in": 10, "accepted": 10},
        (TUESDAY, "ingest_events", "t1"): {"rows_in": 6, "accepted": 4, "duplicate": 1, "malformed_json": 1},
        (TUESDAY, "ingest_events", "t2"): {"rows_in": 4, "accepted": 3, "missing_item": 1, "late": 0},
        (TUESDAY, "build_sessions", "s"): {"rows_in": 7, "in_sessions": 7},
        (WEDNESDAY, "ingest_events", "w"): {"rows_in": 99, "accepted": 99},
    }
    return [
        {"run_id": run_id, "run_date": day, "job": job, "outcome": outcome, "n_rows": n}
        for (day, job, run_id), outcomes in told.items()
        for outcome, n in outcomes.items()
    ]


def sessions() -> list[dict[str, Any]]:
    """Ann's three events in two minutes, Bob's one, and a bot's six in five; Ann comes back too late."""
    return [
        session("ann", at(MONDAY), "aab"),
        session("bob", at(TUESDAY), "a"),
        session("bot", at(TUESDAY), "abcdef", is_bot=True),
        session("ann", at(WEDNESDAY), "cccccccc"),
    ]


def items() -> list[dict[str, Any]]:
    since = {"attributes": {}, "valid_from": date(2026, 1, 1), "categories": []}
    return [{"item_id": item, "title": title, **since} for item, title in TITLES.items()]


def index() -> list[dict[str, Any]]:
    """Four items are known by Tuesday, a fifth from Wednesday on."""
    known = [(item, place, date(2026, 1, 1)) for place, item in enumerate("abcd", start=1)]
    return [
        {"item_id": item, "item_index": place, "added_on": day}
        for item, place, day in [*known, ("e", 5, WEDNESDAY)]
    ]


def model_runs(folder: Path) -> list[dict[str, Any]]:
    """The model of Monday serves, Tuesday's is a candidate whose second epoch was the best."""
    curve = [(1, 3.0, 3.5, 0.10, 0.20), (2, 2.5, 2.75, 0.20, 0.40), (3, 2.25, 3.25, 0.15, 0.30)]
    history = tuple(
        EpochRecord(
            epoch=n,
            loss=loss,
            accuracy=hits / 2,
            validation_loss=held_out,
            validation_accuracy=hits / 4,
            ndcg_at_10=gain,
            hit_rate_at_10=hits,
            seconds=1.0,
            events_per_second=10.0,
        )
        for n, loss, held_out, gain, hits in curve
    )
    told = TrainingResult(
        artifact_uri=str(folder),
        processes=2,
        steps_per_epoch=4,
        best=history[1],
        history=history,
        seconds=3.0,
    )
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(told.model_dump_json())
    common = {
        "config": '{"model": {"width": 32}, "training": {"loss": "full"}}', "n_rows": 12, "seconds": 3.0,
        "code_version": "1", "n_items": 4, "index_fingerprint": "f", "processes": 2,
        "best_epoch": 2, "table_versions": {"sequences": 3, "item_index": 1}, "metrics": {"loss": 2.5},
    }  # fmt: skip
    return [
        {"model_version": version, "run_date": day, "stage": stage, "artifact": place, **common}
        for version, day, stage, place in [
            ("old", MONDAY, "current", f"{folder}-gone"),
            ("new", TUESDAY, "candidate", str(folder)),
            ("later", WEDNESDAY, "candidate", f"{folder}-gone"),
        ]
    ]


def metrics() -> list[dict[str, Any]]:
    """NDCG of three contenders, and of a slice with a name to beware of; five is no limit to look at."""
    figures = [
        (MONDAY, "lstm", "all", "ndcg", 10, 0.2, 0.1, 0.3),
        (TUESDAY, "lstm", "all", "ndcg", 10, 0.3, 0.25, 0.35),
        (TUESDAY, "lstm", "all", "ndcg", 5, 0.9, 0.9, 0.9),
        (TUESDAY, "popularity", "all", "ndcg", 10, 0.1, 0.08, 0.12),
        (TUESDAY, "last_item_covisitation", "all", "ndcg", 10, 0.2, 0.15, 0.25),
        (TUESDAY, "lstm", "city=<i>Rome</i>", "ndcg", 10, 0.4, 0.2, 0.6),
        (TUESDAY, "lstm", "all", "item_coverage", 10, 0.5, None, None),
        (WEDNESDAY, "lstm", "all", "ndcg", 10, 0.99, 0.9, 1.0),
    ]
    names = ("run_date", "model", "slice", "metric", "k", "value", "ci_low", "ci_high")
    return [
        {
            "dataset": "test",
            "model_version": "new" if figure[:2] == (TUESDAY, "lstm") else None,
            "n_users": 3 if figure[2] != "all" else 8,
            **dict(zip(names, figure, strict=True)),
        }
        for figure in figures
    ]


def comparisons() -> list[dict[str, Any]]:
    return [
        {
            "run_date": TUESDAY, "model": "lstm", "baseline": "popularity", "dataset": "test", "slice": "all",
            "metric": "ndcg", "k": 10, "difference": 0.2, "ci_low": 0.1, "ci_high": 0.3, "p_value": 0.000999,
            "n_users": 8, "model_version": "new",
        }
    ]  # fmt: skip


def lists() -> list[dict[str, Any]]:
    """Two users have lists of three; both have a and b, one c and one d."""
    places = [
        (MONDAY, "u1", 1, "a", "model"),
        *[(TUESDAY, "u1", *place) for place in ((1, "a", "model"), (2, "b", "model"), (3, "c", "popular"))],
        *[(TUESDAY, "u2", *place) for place in ((1, "a", "model"), (2, "b", "explore"), (3, "d", "popular"))],
        (WEDNESDAY, "u1", 1, "d", "promoted"),
    ]
    reasons = {"model": ("like_your_history", ["b"]), "explore": ("explored", [])}
    return [
        {
            "run_date": day, "user_id": user, "rank": rank, "item_id": item, "score": 1.0 / rank,
            "source": source, "reason_code": reasons.get(source, ("popular", []))[0],
            "reason_item_ids": reasons.get(source, ("popular", []))[1], "propensity": 1.0,
            "model_version": "old", "ruleset_version": "r1", "table_versions": {},
            "scored_at": at(WEDNESDAY, 0), "expires_at": at(WEDNESDAY, 1),
        }
        for day, user, rank, item, source in places
    ]  # fmt: skip


def gates() -> list[dict[str, Any]]:
    """Lists by one ruleset were refused on Tuesday, those by the other published."""

    def verdict(rule: str, value: float, is_met: bool) -> dict[str, Any]:
        return {"rule": rule, "value": value, "limit": "none", "is_met": is_met, "told": f"look at {rule}"}

    runs = [
        ("r0", False, [("short lists", 2.0, False), ("users", 2.0, True)]),
        ("r1", True, [("users", 2.0, True)]),
    ]
    return [
        {
            "run_id": f"score-{rules}", "run_date": TUESDAY, "is_published": published,
            "model_version": "old", "ruleset_version": rules, "n_users": 2, "n_rows": 6,
            "artifact": "models/old", "code_version": "1", "config": '{"scoring": {"n": 3}}', "seconds": 5.0,
            "table_versions": {"sequences": 3}, "rows_by_source": {"model": 6},
            "verdicts": [verdict(*told) for told in verdicts],
        }
        for rules, published, verdicts in runs
    ]  # fmt: skip


def outcomes() -> list[dict[str, Any]]:
    """Of Tuesday's six places three were clicked, both of rank 1; nobody was shown `segment`."""
    told = [
        (MONDAY, "shown", "all", "all", 0, "click_through", 0, 0.25, 0.1, 0.4, 4),
        (TUESDAY, "shown", "all", "all", 0, "click_through", 0, 0.5, 0.25, 0.75, 6),
        (TUESDAY, "shown", "all", "all", 0, "users_with_click", 0, 1.0, None, None, 2),
        (TUESDAY, "shown", "all", "all", 1, "click_through", 0, 1.0, None, None, 2),
        (TUESDAY, "shown", "all", "all", 2, "click_through", 0, 0.5, 0.1, 0.9, 2),
        (TUESDAY, "shown", "all", "model", 0, "click_through", 0, 0.75, 0.5, 0.9, 4),
        (TUESDAY, "shown", "all", "segment", 0, "click_through", 0, None, None, None, 0),
        (TUESDAY, "shown", "cold_user", "all", 0, "click_through", 0, 0.25, 0.1, 0.4, 3),
        (TUESDAY, "previous", "all", "all", 0, "click_through_ips", 0, 0.125, 0.0, 0.3, 3),
        (TUESDAY, "shown", "all", "all", 0, "hit_rate", 1, 1.0, None, None, 2),
        (WEDNESDAY, "shown", "all", "all", 0, "click_through", 0, 0.9, 0.8, 1.0, 6),
    ]
    names = (
        "run_date",
        "policy",
        "slice",
        "source",
        "rank",
        "metric",
        "k",
        "value",
        "ci_low",
        "ci_high",
        "n",
    )
    common = {
        "window_days": 1, "model_version": "old", "ruleset_version": "r1", "n_offered": 6, "n_users": 2,
        "table_versions": {},
    }  # fmt: skip
    return [
        {"list_date": row[0] - timedelta(days=1), **common, **dict(zip(names, row, strict=True))}
        for row in told
    ]
