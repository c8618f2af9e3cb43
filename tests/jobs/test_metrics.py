"""What evaluate_model writes: equal to the metrics of a written table of lists, by RecTools and by hand."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from rectools import Columns
from rectools import metrics as theirs
from scipy.spatial.distance import cdist

from lstmrec import columns as c
from lstmrec import scoring
from lstmrec.config import Config
from lstmrec.lake import models
from lstmrec.lake import tables as t
from lstmrec.lake.store import Lake
from lstmrec.learn import artifact
from lstmrec.lists import ListMaker
from lstmrec.rank import estimates
from lstmrec.rank.accuracy import METRICS
from lstmrec.shelf import EVERYBODY, Popular, Shelf
from tests.jobs.shop import LAST_DAY, Shop, job
from tests.rank.test_against_rectools import Distances, accuracy_of, of_lists

pytestmark = pytest.mark.slow

KS = (1, 5, 10, 20)
Told = Mapping[tuple[str, int], Row]


def split(spark: SparkSession, shop: Shop, name: str) -> DataFrame:
    return shop.table(spark, t.SEQUENCES).where(F.col(c.SPLIT) == name)


@pytest.fixture(scope="module")
def written(
    spark: SparkSession, shop: Shop, config: Config, tmp_path_factory: pytest.TempPathFactory
) -> pd.DataFrame:
    """`recommendations` of the test histories, by the shop's model, as read back from a lake."""
    lake = Lake(spark, str(shop.folder / "lake"), {})
    model = models.current(lake, LAST_DAY)
    scorer = scoring.ModelScorer.of(model, lake.read(t.ITEM_INDEX))
    maker = ListMaker(
        scorer, model.n_items, everything(scorer), config.scoring.model_copy(update={"n": 20}), "a seed"
    )
    lists = maker.lists(split(spark, shop, "test").withColumn(c.SEGMENT, F.lit(None).cast("string")))
    other = Lake(spark, str(tmp_path_factory.mktemp("written")), {})
    labels = {c.RUN_DATE: F.lit(LAST_DAY), c.MODEL_VERSION: F.lit(model.model_version)}
    labels |= {c.RULESET_VERSION: F.lit("none"), "table_versions": F.create_map().cast("map<string,bigint>")}
    labels |= dict.fromkeys(("scored_at", "expires_at"), F.lit(datetime(2026, 1, 10, tzinfo=UTC)))
    labelled = lists.withColumns(labels)
    other.replace_date(t.RECOMMENDATIONS, labelled, LAST_DAY)
    return other.read(t.RECOMMENDATIONS).toPandas()


def everything(scorer: scoring.ModelScorer) -> Shelf:
    """All items, and nothing that is popular."""
    ids = scorer.model.item_ids
    nothing = Popular(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool))
    allowed = np.arange(len(ids)) > 0
    return Shelf(ids, allowed, ~allowed & False, np.zeros((len(ids), 1), np.int32), {}, {EVERYBODY: nothing})


@pytest.fixture(scope="module")
def ids(spark: SparkSession, shop: Shop) -> dict[int, str]:
    index = shop.table(spark, t.ITEM_INDEX).collect()
    return {row[c.ITEM_INDEX]: row[c.ITEM_ID] for row in index}


@pytest.fixture(scope="module")
def targets(spark: SparkSession, shop: Shop, ids: dict[int, str]) -> dict[str, str]:
    """User -> the item held out."""
    return {row[c.USER_ID]: ids[row[c.TARGET]] for row in split(spark, shop, "test").collect()}


def told(spark: SparkSession, shop: Shop, model: str, part: str = "all") -> Told:
    rows = shop.table(spark, t.METRICS).where((F.col("model") == model) & (F.col("slice") == part)).collect()
    return {(row["metric"], row["k"]): row for row in rows}


def test_the_accuracy_of_the_written_lists_is_the_offline_accuracy_exactly(
    spark: SparkSession, shop: Shop, written: pd.DataFrame, targets: dict[str, str]
) -> None:
    offline = told(spark, shop, "lstm")
    hit = written[written[c.ITEM_ID] == written[c.USER_ID].map(targets)].set_index(c.USER_ID)[c.RANK]
    ranks = np.array([hit.get(user, 21) for user in targets])
    taken, n_users = np.unique(ranks, return_counts=True)
    of_written = estimates.accuracy(taken, n_users, KS, resamples=2, seed=1)
    assert {(each.metric, each.k) for each in of_written} == {(name, k) for name in METRICS for k in KS}
    for each in of_written:
        row = offline[each.metric, each.k]
        assert (row["value"], row["n_users"]) == (each.value, len(targets)), (each.metric, each.k)
    assert offline["hit_rate", 10]["value"] > 0.2  # there is something to compare


def test_the_metrics_of_the_written_lists_are_the_offline_ones_by_rectools(
    spark: SparkSession, shop: Shop, written: pd.DataFrame, targets: dict[str, str], ids: dict[int, str]
) -> None:
    offline = told(spark, shop, "lstm")
    number = {item: index for index, item in ids.items()}
    reco = pd.DataFrame(
        {
            Columns.User: written[c.USER_ID],
            Columns.Item: written[c.ITEM_ID].map(number),
            Columns.Rank: written[c.RANK],
        }
    ).sort_values([Columns.User, Columns.Rank])
    interactions = pd.DataFrame(
        {Columns.User: list(targets), Columns.Item: [number[item] for item in targets.values()]}
    )
    previous = (
        split(spark, shop, "train_and_validation")  # what all contenders learn from
        .select(F.col(c.SEQUENCE_ID).alias(Columns.User), F.explode(c.ITEMS).alias(Columns.Item))
        .where(F.col(Columns.Item) != 0)
        .distinct()
        .toPandas()
    )
    catalogue = np.array(sorted(ids))
    by_category, by_vector = distances(spark, shop, ids)
    for k in KS:
        calculated = {name: accuracy_of(name, k).calc(reco, interactions) for name in METRICS}  # type: ignore[attr-defined]
        calculated |= of_lists("calc", k, reco, interactions, previous, catalogue, by_category, by_vector)
        calculated["item_coverage"] = theirs.CatalogCoverage(k, normalize=True).calc(reco, catalogue)
        if k == 1:
            assert ("category_diversity", 1) not in offline
        for name, value in calculated.items():
            assert offline[name, k]["value"] == pytest.approx(value, abs=1e-12), (name, k)


def distances(spark: SparkSession, shop: Shop, ids: dict[int, str]) -> tuple[Distances, Distances]:
    """Between the shop's items: each has one category, and the model has a vector of each."""
    rows = shop.table(spark, t.ITEMS).where(F.col(c.VALID_TO).isNull()).collect()
    category = {row[c.ITEM_ID]: row["categories"] for row in rows}
    names = [category[ids[index]] for index in sorted(ids)]
    other = np.array([[set(a).isdisjoint(b) for b in names] for a in names], np.float64)
    assert {len(own) for own in names} == {1}
    lake = Lake(spark, str(shop.folder / "lake"), {})
    vectors = artifact.load(models.current(lake, LAST_DAY).artifact).item_matrix.astype(np.float64)
    return Distances(np.pad(other, ((1, 0), (1, 0)))), Distances(cdist(vectors, vectors, "cosine"))


def test_each_metric_of_each_contender_is_told_of_all_users(spark: SparkSession, shop: Shop) -> None:
    n_users = split(spark, shop, "test").count()
    lstm = told(spark, shop, "lstm")
    assert len(lstm) == 4 * 6 + (4 * 7 + 3 * 2) + 4 * 2
    for model in ("popularity", "last_item_covisitation"):
        assert set(told(spark, shop, model)) == set(lstm)
    for row in lstm.values():
        assert row["n_users"] == n_users
        assert (row["ci_low"] is None) == (row["metric"] in ("item_coverage", "gini"))
        assert row["ci_low"] is None or row["ci_low"] <= row["value"] <= row["ci_high"]
        assert np.isfinite(row["value"])


def test_slices_of_history_and_of_the_segment_share_out_all_users(spark: SparkSession, shop: Shop) -> None:
    rows = shop.table(spark, t.METRICS).where("model = 'lstm' AND metric = 'ndcg' AND k = 10").collect()
    of = {row["slice"]: row for row in rows}
    total = of["all"]["n_users"]
    for start in ("history_", "gender="):
        parts = [row for name, row in of.items() if name.startswith(start)]
        assert len(parts) > 1
        if start == "history_":  # not every user has an account, and so a gender
            assert sum(row["n_users"] for row in parts) == total
            mean = sum(row["n_users"] * row["value"] for row in parts) / total
            assert mean == pytest.approx(of["all"]["value"])


def test_an_empty_slice_is_absent_and_its_count_is_in_the_log(
    spark: SparkSession, shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    flags = shop.override(
        "slices.yaml",
        {"evaluation": {"cold_user_items": 0, "history_bands": [3, 10_000]}, "log": {"format": "json"}},
    )
    before = shop.table(spark, t.METRICS).count()
    try:
        job("evaluate_model")(flags)
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
        (counts,) = [line for line in lines if line["event"] == "users by slice"]
        assert (counts["cold_user"], counts["history_over_10000"]) == (0, 0)
        found = {row["slice"] for row in shop.table(spark, t.METRICS).select("slice").distinct().collect()}
        assert {"all", "history_4_to_10000"} <= found
        assert not {"cold_user", "history_over_10000"} & found
    finally:
        job("evaluate_model")(shop.flags())
    assert shop.table(spark, t.METRICS).count() == before


def test_the_lead_over_each_baseline_is_tested_on_the_same_users(spark: SparkSession, shop: Shop) -> None:
    rows = shop.table(spark, t.COMPARISONS).where("slice = 'all' AND metric = 'ndcg' AND k = 10").collect()
    ours = told(spark, shop, "lstm")["ndcg", 10]
    assert {row["baseline"] for row in rows} == {"popularity", "last_item_covisitation"}
    for row in rows:
        theirs_ = told(spark, shop, row["baseline"])["ndcg", 10]
        assert row["model"] == "lstm"
        assert row["difference"] == pytest.approx(ours["value"] - theirs_["value"], abs=1e-12)
        assert row["ci_low"] <= row["difference"] <= row["ci_high"]
        assert 1 / 1001 <= row["p_value"] <= 1
        assert row[c.MODEL_VERSION] == ours[c.MODEL_VERSION]
    (over_popularity,) = [row for row in rows if row["baseline"] == "popularity"]
    assert over_popularity["ci_low"] > 0
    assert over_popularity["p_value"] < 0.01
