from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession

from lstmrec import evaluation
from lstmrec.config import Config
from lstmrec.errors import BadInput
from lstmrec.evaluation import Measured
from lstmrec.rank.list_metrics import Catalogue
from lstmrec.sections import EvaluationConfig
from tests.test_tallies import JUDGED, KNOWN, ROWS


@pytest.fixture(scope="module")
def rules(config: Config) -> EvaluationConfig:
    return config.evaluation.model_copy(update={"ks": (1, 2), "history_bands": (3,), "segment": "gender"})


@pytest.fixture(scope="module")
def measured(spark: SparkSession, rules: EvaluationConfig) -> Measured:
    judged = spark.createDataFrame(ROWS, JUDGED)
    return evaluation.measure(judged, ["ours", "theirs"], KNOWN, rules, partitions=2)


def value(measured: Measured, *which: Any) -> float:
    (found,) = [
        f.estimate.value
        for f in measured.figures
        if (f.model, f.slice, f.estimate.metric, f.estimate.k) == which
    ]
    return found


def test_each_contender_is_measured_on_each_slice_with_users(measured: Measured) -> None:
    assert value(measured, "ours", "all", "hit_rate", 1) == 1 / 3
    assert value(measured, "ours", "all", "mrr", 2) == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    assert value(measured, "ours", "new", "hit_rate", 1) == 1
    assert value(measured, "theirs", "all", "hit_rate", 2) == 0
    assert value(measured, "ours", "new", "average_popularity", 2) == 6


def test_a_slice_without_users_has_a_count_and_no_figure(measured: Measured) -> None:
    assert measured.n_users == {
        "all": 3,
        "cold_user": 0,
        "cold_item": 0,
        "tail_item": 0,
        "history_1_to_3": 0,
        "history_over_3": 0,
        "new": 1,
    }
    assert {f.slice for f in measured.figures} == {"all", "new"}
    assert {lead.slice for lead in measured.leads} == {"all", "new"}


def test_what_all_lists_show_together_is_of_all_users(measured: Measured) -> None:
    assert value(measured, "ours", "all", "item_coverage", 2) == 3 / 4  # 1, 2 and 3 of four items
    assert value(measured, "theirs", "all", "item_coverage", 1) == 2 / 4
    # ours at 2: items are in 0, 1, 2 and 3 lists
    assert value(measured, "ours", "all", "gini", 2) == pytest.approx(
        (-3 * 0 - 1 * 1 + 1 * 2 + 3 * 3) / (4 * 6)
    )
    assert not [f for f in measured.figures if f.slice == "new" and f.estimate.metric == "gini"]


def test_the_first_contender_is_compared_with_each_other_one(measured: Measured) -> None:
    leads = {(lead.slice, lead.comparison.metric, lead.comparison.k): lead for lead in measured.leads}
    lead = leads["all", "hit_rate", 2]
    assert (lead.model, lead.baseline) == ("ours", "theirs")
    assert (lead.comparison.difference, lead.comparison.n_users) == (1, 3)


def test_a_row_has_the_labels_beside_the_figure(measured: Measured) -> None:
    (figure,) = [
        f
        for f in measured.figures
        if (f.slice, f.estimate.metric, f.estimate.k) == ("new", "mrr", 1) and f.model == "ours"
    ]
    row = figure.row({"dataset": "test"})
    assert {name: row[name] for name in ("dataset", "model", "slice", "metric", "k", "value", "n_users")} == {
        "dataset": "test",
        "model": "ours",
        "slice": "new",
        "metric": "mrr",
        "k": 1,
        "value": 1,
        "n_users": 1,
    }


def test_nobody_to_judge_gives_counts_and_no_figures(spark: SparkSession, rules: EvaluationConfig) -> None:
    got = evaluation.measure(
        spark.createDataFrame([], JUDGED), ["ours", "theirs"], KNOWN, rules, partitions=2
    )
    assert set(got.n_users.values()) == {0}
    assert (list(got.figures), list(got.leads)) == ([], [])


def test_an_attribute_with_too_many_values_is_no_segment(
    spark: SparkSession, rules: EvaluationConfig
) -> None:
    rows = [(f"user-{n}", ["all", f"gender={n}"], [1, 1], [[1], [1]]) for n in range(120)]
    with pytest.raises(BadInput, match=r"evaluation.segment makes 126 slices, e.g. .*gender=99.*at most 100"):
        evaluation.measure(
            spark.createDataFrame(rows, JUDGED), ["ours", "theirs"], KNOWN, rules, partitions=2
        )


def test_categories_are_numbered_and_padded_by_item(spark: SparkSession) -> None:
    items = spark.createDataFrame(
        [(1, ["b", "a", "b"]), (3, []), (2, None), (4, ["c"]), (9, ["newer than the model"])],
        "item_index int, categories array<string>",
    )
    got = evaluation.catalogue(np.zeros(5, np.int64), 7, items, np.zeros((5, 2), np.float32), tail_share=0.2)
    assert got.categories.tolist() == [[0, 0], [1, 2], [0, 0], [0, 0], [3, 0]]
    assert (got.total, got.tail_share) == (7, 0.2)


def test_a_catalogue_may_have_no_categories(spark: SparkSession) -> None:
    items = spark.createDataFrame([(1, None)], "item_index int, categories array<string>")
    got = evaluation.catalogue(np.zeros(3, np.int64), 7, items, np.zeros((3, 2), np.float32), tail_share=0.2)
    assert got.categories.shape == (3, 0)


def test_slices_are_cut_by_what_is_known_of_each_item(spark: SparkSession) -> None:
    known: Catalogue = KNOWN
    rows = evaluation.item_facts(spark, known).collect()
    assert [(r["item_index"], r["n_histories"], r["is_tail"]) for r in rows] == [
        (1, 8, False),
        (2, 4, False),
        (3, 2, True),
        (4, 1, True),
    ]
