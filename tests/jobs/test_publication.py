"""Lists are published whole or not at all: over kills, refusals, reruns and backfills."""

import shutil
import signal
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.lake import tables as t
from lstmrec.lake.store import Lake
from tests.jobs import killer
from tests.jobs.nights import plain
from tests.jobs.shop import LAST_DAY, Shop, job

pytestmark = pytest.mark.slow

NEXT_DAY = LAST_DAY + timedelta(days=1)
RULESET, RUN, LISTS, BOOKS = 1, 2, 3, 4  # the writes of score_recommendations, in their order


class Copy:
    """The shop with a lake of its own, whose newest lists are those of LAST_DAY."""

    def __init__(self, spark: SparkSession, shop: Shop, folder: Path, lake: Path | None = None) -> None:
        self.spark, self.lake = spark, folder / "lake"
        shutil.copytree(lake or shop.folder / "lake", self.lake)
        shutil.copy(shop.folder / "base.yaml", folder)
        self.conf = folder / "own.yaml"
        self.settings = yaml.safe_load(shop.conf.read_text()) | {
            "lake": {"root": str(self.lake), "database": "copies"},
            "tracking": {"uri": None},
        }
        self.use({})

    def use(self, changes: Mapping[str, Any]) -> None:
        self.conf.write_text(yaml.safe_dump({**self.settings, **changes}))

    def flags(self, day: date = NEXT_DAY) -> list[str]:
        return ["--conf", str(self.conf), "--run-date", day.isoformat()]

    def score(self, day: date = NEXT_DAY) -> None:
        """The end of that day's night."""
        for name in ("build_sequences", "score_recommendations"):
            job(name)(self.flags(day))

    def lists(self) -> dict[date, set[str]]:
        """The rows of each date, without the versions of what they were made of."""
        rows = Lake(self.spark, str(self.lake), {}).read(t.RECOMMENDATIONS).drop("table_versions")
        by_date: dict[date, set[str]] = {}
        for row in rows.collect():
            by_date.setdefault(row[c.RUN_DATE], set()).add(repr(plain(row)))
        return by_date

    def run(self, day: date) -> Any:
        runs = Lake(self.spark, str(self.lake), {}).read(t.RECOMMENDATION_RUNS)
        return runs.where(runs[c.RUN_DATE] == day).collect()[0]


@pytest.fixture(scope="module")
def evening(spark: SparkSession, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's lake when all is ready for the lists of NEXT_DAY."""
    night = Copy(spark, shop, tmp_path_factory.mktemp("evening"))
    job("build_sequences")(night.flags())
    return night.lake


@pytest.fixture
def copy(spark: SparkSession, shop: Shop, tmp_path: Path, evening: Path) -> Copy:
    return Copy(spark, shop, tmp_path, evening)


@pytest.fixture(scope="module")
def undisturbed(
    spark: SparkSession, shop: Shop, evening: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[date, set[str]]:
    night = Copy(spark, shop, tmp_path_factory.mktemp("undisturbed"), evening)
    job("score_recommendations")(night.flags())
    return night.lists()


@pytest.mark.parametrize(
    ("at", "where"),
    [(RULESET, "before"), (RUN, "before"), (LISTS, "before"), (LISTS, "inside"), (BOOKS, "before")],
)
def test_killed_at_any_write_the_newest_lists_are_whole_and_a_rerun_makes_the_day(
    copy: Copy, undisturbed: dict[date, set[str]], at: int, where: str
) -> None:
    ran = killer.run(at, where, copy.lake, ["score_recommendations"], copy.flags())
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    left = copy.lists()
    assert left == {day: undisturbed[day] for day in left}
    assert (NEXT_DAY in left) == (at == BOOKS)
    job("score_recommendations")(copy.flags())
    assert copy.lists() == undisturbed


def test_lists_that_fail_the_gate_are_not_published_and_the_runs_table_says_why(
    copy: Copy, capsys: pytest.CaptureFixture[str]
) -> None:
    before = copy.lists()
    copy.use(
        {"gate": {"min_overlap": 0.9, "max_overlap": 0.95}}
    )  # the same lists as the day before: all stay
    with pytest.raises(SystemExit) as stopped:
        job("score_recommendations")(copy.flags())
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert f"score_recommendations: gate: the lists of {NEXT_DAY} are not published" in told
    assert "FAIL overlap" in told
    assert copy.lists() == before
    run = copy.run(NEXT_DAY)
    assert run["is_published"] is False
    assert [verdict["rule"] for verdict in run["verdicts"] if not verdict["is_met"]] == ["overlap"]

    copy.use({})
    job("score_recommendations")(copy.flags())
    assert copy.run(NEXT_DAY)["is_published"] is True
    assert NEXT_DAY in copy.lists()


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"min_stock_days": 10_000}, "FAIL short lists"),  # excludes everything
        ({"max_per_category": 1}, "FAIL short lists"),  # of fewer categories than places
    ],
)
def test_rules_that_leave_too_few_items_are_refused_with_the_rule_to_look_at(
    copy: Copy, capsys: pytest.CaptureFixture[str], rules: dict[str, Any], told: str
) -> None:
    copy.use({"scoring": copy.settings["scoring"] | {"rules": rules}})
    with pytest.raises(SystemExit):
        job("score_recommendations")(copy.flags())
    said = capsys.readouterr().err
    assert told in said
    assert "too few are allowed; see scoring.rules" in said


def test_an_item_hidden_with_sql_is_in_no_list_of_that_day_on(copy: Copy, spark: SparkSession) -> None:
    job("register_tables")(copy.flags())
    spark.sql("USE copies")
    try:
        (item,) = spark.sql("SELECT item_id FROM recommendations WHERE rank = 1 LIMIT 1").collect()[0]
        spark.sql(f"INSERT INTO item_rules VALUES ('{item}', 'hidden', DATE'{NEXT_DAY}', NULL, 'recalled')")
    finally:
        spark.sql("USE default")
    job("score_recommendations")(copy.flags())
    lists = copy.lists()
    assert any(f"'{item}'" in row for row in lists[LAST_DAY])
    assert not any(f", '{item}', " in row for row in lists[NEXT_DAY])  # it may still be a reason


def test_a_model_is_rolled_back_to_by_its_version(copy: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    runs = Lake(copy.spark, str(copy.lake), {})
    (model,) = runs.read(t.MODEL_RUNS).collect()
    job("promote_model")([*copy.flags(), "--model-version", model[c.MODEL_VERSION]])
    assert Lake(copy.spark, str(copy.lake), {}).read(t.MODEL_RUNS).collect() == [model]  # it serves
    with pytest.raises(SystemExit) as stopped:
        job("promote_model")([*copy.flags(), "--model-version", "of no training"])
    assert stopped.value.code == 2
    assert "promote_model: model_runs: no model 'of no training'" in capsys.readouterr().err


@pytest.mark.parametrize("nights", [2, pytest.param(7, marks=pytest.mark.deep)])
def test_a_backfill_of_nights_is_the_nights_one_by_one(copy: Copy, nights: int) -> None:
    days = [LAST_DAY + timedelta(days=n + 1) for n in range(nights)]
    for day in days:
        copy.score(day)
    one_by_one = copy.lists()
    assert set(one_by_one) == {LAST_DAY, *days}
    for day in reversed(days):  # again, in another order
        copy.score(day)
    assert copy.lists() == one_by_one
