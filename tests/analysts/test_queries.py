"""The analysts' queries on a planted lake: in Spark SQL and in DuckDB, both as worked out by hand."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.lake import tables as t
from lstmrec.lake import views
from lstmrec.lake.list_tables import ITEM_RULES, RECOMMENDATIONS
from lstmrec.lake.model_tables import ITEM_INDEX, MODEL_RUNS
from lstmrec.lake.outcome_tables import OUTCOMES
from lstmrec.lake.store import Lake
from tests.planted_lists import lists, plant, visits
from tests.prepare.factories import MIDNIGHT, at

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "analysts"
PYTHON = ROOT / ".venv-analyst" / "bin" / "python"
ASKED = "'ann' AS user_id, 'up' AS item_id"
D1 = MIDNIGHT.date()
D2 = D1 + timedelta(days=1)
NEW_YEAR = date(2026, 1, 1)

Answers = Mapping[str, list[list[Any]]]


def query(name: str) -> str:
    return (FOLDER / "queries" / f"{name}.sql").read_text()


def asking(user: str, item: str) -> str:
    sql = query("why_not_that_one")
    assert ASKED in sql
    return sql.replace(ASKED, f"'{user}' AS user_id, '{item}' AS item_id")


QUERIES = {path.stem: path.read_text() for path in sorted((FOLDER / "queries").glob("*.sql"))}
QUERIES["the view of current lists"] = """-- How many places has each user?
    SELECT run_date, user_id, count(*) FROM recommendations_current GROUP BY ALL ORDER BY user_id
"""
QUERIES |= {
    f"why_not {user} {item}": asking(user, item)
    for user, item in (("ann", "heat"), ("zoe", "ufo"), ("ann", "jaws"))
}

# fmt: off
EXPECTED: Answers = {
    "reach": [[str(D1), 2, 3], [str(D2), 3, 4]],
    "mix_of_sources": [
        [str(D1), "popular", 3, 0.75], [str(D1), "model", 1, 0.25],
        [str(D2), "popular", 4, 4 / 6], [str(D2), "model", 2, 2 / 6],
    ],
    "coverage_trend": [[str(D1), 3, 5, 0.6, 0.5], [str(D2), 3, 4, 0.75, 0.5]],
    "why_this_item": [
        [str(D1), 1, "model", "like_your_history", "Jaws", 1.0, "old model", "rules"],
        [str(D2), 1, "model", "like_your_history", "Jaws", 0.5, "new model", "rules"],
        [str(D2), 1, "model", "like_your_history", "Up", 0.5, "new model", "rules"],
    ],
    "why_not_that_one": [
        ["a rule makes it hidden: recalled"], ["the user has had it, in sessions: 1"],
        ["it is newer than the model"],
    ],
    "why_not ann heat": [["it is in the list, at rank 1"], ["the user has had it, in sessions: 1"]],
    "why_not zoe ufo": [
        ["the user has no list"], ["it is not in the catalogue"],
        ["nobody has had it, so the model does not know it"],
    ],
    "why_not ann jaws": [
        ["none of these: others came before it, or scoring.rules kept it out (table rulesets)"]
    ],
    "overlap_with_yesterday": [[str(D2), 2, 0.75]],  # ann keeps one of two, bob both, cat is new
    "lists_by_segment": [
        ["F", 1, "heat", "Heat", 2], ["F", 2, "alien", "Alien", 1], ["F", 3, "jaws", "Jaws", 1],
        ["M", 1, "alien", "Alien", 1], ["M", 2, "heat", "Heat", 1],
    ],
    "late_and_quarantined": [[str(D1), "late", 2, 0.2], [str(D1), "missing_time", 1, 0.1]],
    "session_length_by_day": [[str(D1), 2, 2.5, 20.25], [str(D2), 1, 1, 0]],
    "the view of current lists": [[str(D2), user, 2] for user in ("ann", "bob", "cat")],
    "outcome_by_model": [
        ["old model", str(NEW_YEAR), 2, 40, 60, 0.25], ["new model", str(D1), 1, 0, 5, None],
    ],
}
# fmt: on


def plant_all(lake: Lake) -> None:
    plant(lake, RECOMMENDATIONS, recommendations())
    attributes = {"ann": "F", "bob": "M", "cat": "F", "dan": "M", "eve": "M"}
    first = {"cat": D2, "eve": D2}
    users = [
        {c.USER_ID: user, c.ATTRIBUTES: {"gender": gender}, c.VALID_FROM: first.get(user, NEW_YEAR)}
        | ({c.VALID_TO: D2} if user == "dan" else {})
        for user, gender in attributes.items()
    ]
    items = [
        {c.ITEM_ID: item, c.ATTRIBUTES: {}, c.VALID_FROM: NEW_YEAR, "title": item.title()}
        | ({c.VALID_TO: D2} if item == "old" else {})
        for item in ("heat", "alien", "jaws", "up", "old")
    ]
    clicks = [("ann", at("10:00"), "alien"), ("ann", at("10:10"), "up"), ("ann", at("10:30"), "heat")]
    clicks += [
        ("bob", at("11:00"), "heat"),
        ("bob", at("11:10:30"), "alien"),
        ("cat", at("1d 12:00"), "heat"),
    ]
    bot = visits([("bot", at("00:00"), "heat", "view"), ("bot", at("11:00"), "heat", "view")])
    sessions = [*visits([(*click, "view") for click in clicks]), bot[0] | {c.IS_BOT: True}]
    index = [
        {c.ITEM_ID: item, c.ITEM_INDEX: place, "added_on": D1}
        for item, place in {"heat": 1, "alien": 2, "jaws": 3, "up": 9}.items()
    ]
    rule = {c.ITEM_ID: "up", "rule": "hidden", c.VALID_FROM: D2, "note": "recalled"}
    books = {"rows_in": 10, "accepted": 7, "late": 2, "missing_time": 1, "missing_user": 0}
    for table, values in (
        (t.USERS, users),
        (t.ITEMS, items),
        (t.SESSIONS, sessions),
        (ITEM_INDEX, index),
        (ITEM_RULES, [rule]),
        (MODEL_RUNS, [model("new model"), model("old model") | {"n_items": 99}]),
        (t.RUN_ACCOUNTING, [*booked(D1, books), *booked(D2, {"rows_in": 4, "accepted": 4})]),
        (OUTCOMES, outcomes()),
    ):
        plant(lake, table, values)


def recommendations() -> list[dict[str, Any]]:
    def of(day: date, given: Mapping[str, list[str]], own: list[str], **other: Any) -> list[dict[str, Any]]:
        rows = lists(day, given, **other)
        ours = {(user, item) for user in ("ann",) for item in own}
        return [
            row | {c.SOURCE: "model" if (row[c.USER_ID], row[c.ITEM_ID]) in ours else "popular"}
            for row in rows
        ]

    return [
        *of(
            D1,
            {"ann": ["heat", "jaws"], "bob": ["alien", "heat"]},
            ["heat"],
            model_version="old model",
            reason_item_ids=["jaws"],
        ),
        *of(
            D2,
            {"ann": ["heat", "alien"], "bob": ["heat", "alien"], "cat": ["heat", "jaws"]},
            ["heat", "alien"],
            model_version="new model",
            reason_item_ids=["up", "jaws"],
            propensity=0.5,
        ),
    ]


def model(version: str) -> dict[str, Any]:
    return {
        c.MODEL_VERSION: version,
        c.RUN_DATE: D1,
        "stage": "current",
        "artifact": "somewhere",
        "code_version": "1",
        "config": "{}",
        "table_versions": {},
        "n_items": 5,
        "index_fingerprint": "f",
        "processes": 2,
        "best_epoch": 1,
        "metrics": {},
    }


def booked(day: date, outcomes: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {c.RUN_ID: f"{job}-{day}", c.RUN_DATE: day, c.JOB: job, c.OUTCOME: outcome, c.N_ROWS: n}
        for job in ("ingest_events", "another job")
        for outcome, n in outcomes.items()
    ]


def outcomes() -> list[dict[str, Any]]:
    def of(
        day: date, version: str, value: float | None, n: int, n_offered: int, **other: Any
    ) -> dict[str, Any]:
        filled = {c.RUN_DATE: day + timedelta(days=1), "list_date": day, "window_days": 1, "policy": "shown"}
        filled |= {c.MODEL_VERSION: version, c.RULESET_VERSION: "rules", c.SLICE: "all", c.SOURCE: "all"}
        filled |= {c.RANK: 0, "metric": "click_through", "k": 0, "n_users": n, "table_versions": {}}
        return filled | {"value": value, "n": n, "n_offered": n_offered} | other

    return [
        of(NEW_YEAR, "old model", 0.1, 10, 20),
        of(NEW_YEAR + timedelta(days=1), "old model", 0.3, 30, 40),
        of(D1, "new model", None, 0, 5),
        of(NEW_YEAR, "old model", 0.9, 10, 20, metric="purchase_rate"),
        of(NEW_YEAR, "old model", 0.9, 10, 20, slice="gender=F"),
        of(NEW_YEAR, "old model", 0.9, 10, 20, rank=1),
        of(NEW_YEAR, "old model", 0.9, 10, 20, policy="previous"),
    ]


@pytest.fixture(scope="module")
def planted(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    lake = Lake(spark, str(tmp_path_factory.mktemp("analysts") / "lake"), {})
    plant_all(lake)
    views.register(lake, "analysts")
    spark.sql("USE analysts")
    yield lake
    spark.sql("USE default")


WITH_DUCKDB = """
import json, sys
from decimal import Decimal
sys.path.insert(0, sys.argv[1])
from lake import open_lake
db = open_lake(sys.argv[2])
answers = {name: db.sql(sql).fetchall() for name, sql in json.load(sys.stdin).items()}
print(json.dumps(answers, default=lambda value: float(value) if isinstance(value, Decimal) else str(value)))
"""


@pytest.fixture(scope="module")
def in_duckdb(planted: Lake) -> Answers:
    ran = subprocess.run(
        [str(PYTHON), "-c", WITH_DUCKDB, str(FOLDER), planted.root],
        input=json.dumps(QUERIES),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told: dict[str, list[list[Any]]] = json.loads(ran.stdout)
    return told


def rounded(rows: list[list[Any]]) -> list[list[Any]]:
    return [[round(float(v), 9) if isinstance(v, int | float | Decimal) else v for v in row] for row in rows]


def test_each_query_has_an_answer_worked_out_by_hand() -> None:
    assert set(EXPECTED) == set(QUERIES)
    assert all(sql.startswith("-- ") for sql in QUERIES.values())


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_gives_what_is_true_in_spark(planted: Lake, name: str) -> None:
    rows = planted.spark.sql(QUERIES[name]).collect()
    told = [[str(value) if isinstance(value, date) else value for value in row] for row in rows]
    assert rounded(told) == rounded(EXPECTED[name])


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_gives_the_same_without_spark(in_duckdb: Answers, name: str) -> None:
    assert rounded(in_duckdb[name]) == rounded(EXPECTED[name])


def test_the_notebook_runs_from_its_first_cell_to_its_last(planted: Lake) -> None:
    ran = subprocess.run(
        [str(PYTHON), str(FOLDER / "start.py"), planted.root], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "Whom do the lists reach?" in ran.stdout
    assert "recalled" in ran.stdout
    assert "Alien" in ran.stdout
