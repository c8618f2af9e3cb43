"""Off-policy estimates next to the truth: the product's own draws, and users whose preferences are known."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec import outcomes
from lstmrec.config import Config
from lstmrec.lake.list_tables import RECOMMENDATIONS
from lstmrec.lake.store import Lake
from lstmrec.lists import ListMaker
from lstmrec.outcomes import Measured
from lstmrec.scoring import ModelScorer
from tests import planted_model
from tests.planted_lists import lists, plant_lake
from tests.planted_model import AFFINITY, BIAS, N_ITEMS, User
from tests.population import Population
from tests.prepare.factories import MIDNIGHT
from tests.test_lists import SHELF, with_rules

DAY = MIDNIGHT.date()
PEOPLE = Population(
    size=1500,
    likes=[
        {"i2": 0.6, "i3": 0.1, "i4": 0.4, "i5": 0.05, "i6": 0.3},
        {"i2": 0.1, "i3": 0.5, "i4": 0.05, "i5": 0.3, "i6": 0.2},
    ],
    comes=0.8,
)
# by the planted model all get i2, and two of the other four by chance; these are what could be drawn
OTHER = {user: [["i2", "i4", "i6"], ["i5", "i3"]][n % 2] for n, user in enumerate(PEOPLE.users)}


def drawn(spark: SparkSession, folder: Path, config: Config) -> DataFrame:
    """A night's lists of three by the product, the last two places drawn."""
    uri = planted_model.publish(folder, AFFINITY, BIAS, N_ITEMS)
    maker = ListMaker(ModelScorer(uri), N_ITEMS, SHELF, config.scoring, "2026-01-29")
    users = planted_model.frame(spark, *(User(user, [1]) for user in PEOPLE.users))
    return with_rules(maker, n=3, explore_places=2).lists(users)


@pytest.fixture(scope="module")
def measured(spark: SparkSession, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    lake = Lake(spark, str(tmp_path_factory.mktemp("population") / "lake"), {})
    labels = {
        c.RUN_DATE: F.lit(DAY - timedelta(days=1)),
        c.MODEL_VERSION: F.lit("a model that draws"),
        c.RULESET_VERSION: F.lit("rules"),
        "table_versions": F.create_map().cast("map<string,bigint>"),
        "scored_at": F.lit(datetime.combine(DAY, datetime.min.time(), UTC)),
        "expires_at": F.lit(datetime.combine(DAY + timedelta(days=2), datetime.min.time(), UTC)),
    }
    lake.append(RECOMMENDATIONS, drawn(spark, tmp_path_factory.mktemp("model"), config).withColumns(labels))
    shown: dict[str, list[str]] = {}
    for row in Lake(spark, lake.root, {}).read(RECOMMENDATIONS).collect():
        shown.setdefault(row[c.USER_ID], []).append(row[c.ITEM_ID])
    before = lists(DAY - timedelta(days=2), OTHER, **{c.MODEL_VERSION: "a model of before"})
    plant_lake(lake, before, PEOPLE.clicks(shown, seed=11), {"user-0": "F"})
    return outcomes.measure(Lake(spark, lake.root, {}), config, DAY)


@pytest.mark.parametrize("metric", ["click_through_ips", "click_through_snips"])
def test_the_true_value_of_lists_that_were_not_shown_lies_in_the_interval(
    measured: Measured, metric: str
) -> None:
    (row,) = [row for row in measured.rows if row["metric"] == metric]
    truth = PEOPLE.value(OTHER)
    assert row["ci_low"] < truth < row["ci_high"]
    assert row["ci_high"] - row["ci_low"] < 0.08
    assert (row["policy"], row[c.MODEL_VERSION]) == ("previous", "a model of before")
    assert row["n"] < row["n_offered"]
    assert 1100 < row["n_users"] < 1300  # who came, of 1500


def test_so_does_the_true_value_of_what_was_shown(measured: Measured) -> None:
    (row,) = [
        row
        for row in measured.rows
        if (row["metric"], row[c.SLICE], row[c.SOURCE], row[c.RANK]) == ("click_through", "all", "all", 0)
    ]
    even = {user: ["i3", "i4", "i5", "i6"] for user in PEOPLE.users}  # each of them half of the time
    first = {user: ["i2"] for user in PEOPLE.users}
    truth = (PEOPLE.value(first) + 2 * PEOPLE.value(even)) / 3
    assert row["ci_low"] < truth < row["ci_high"]
    assert abs(truth - PEOPLE.value(OTHER)) > 0.05  # what was shown is worth less than the lists before
