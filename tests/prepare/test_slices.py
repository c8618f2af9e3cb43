from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from lstmrec.config import Config
from lstmrec.prepare import slices
from lstmrec.sections import EvaluationConfig


@pytest.fixture
def rules(config: Config) -> EvaluationConfig:
    return config.evaluation.model_copy(
        update={
            "cold_user_items": 2,
            "cold_item_histories": 1,
            "history_bands": (3, 5),
            "segment": "gender",
        }
    )


ITEMS = [(1, 9, False), (2, 1, True), (3, 2, True)]  # 4 is in no history
USERS = [("ann", {"gender": "F", "age": "30"}), ("bob", {"age": "40"}), ("other", {"gender": "M"})]


def sliced(spark: SparkSession, rules: EvaluationConfig, *test: tuple[str, int, int]) -> dict[str, set[str]]:
    """User -> slices, of (user, number of different items before, target)."""
    rows = [(user, list(range(10, 10 + had)), target) for user, had, target in test]
    got = slices.with_slices(
        spark.createDataFrame(rows, "user_id string, seen array<int>, target int"),
        items(spark),
        spark.createDataFrame(USERS, "user_id string, attributes map<string,string>"),
        rules,
    ).collect()
    assert all(len(set(row["slices"])) == len(row["slices"]) for row in got)
    assert len(got) == len(test)
    return {row["user_id"]: set(row["slices"]) for row in got}


def items(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(ITEMS, "item_index int, n_histories long, is_tail boolean")


def test_a_row_is_in_every_slice_that_fits_it(spark: SparkSession, rules: EvaluationConfig) -> None:
    got = sliced(spark, rules, ("ann", 2, 1), ("bob", 3, 2), ("cat", 6, 3), ("dan", 4, 4))
    assert got == {
        "ann": {"all", "cold_user", "history_1_to_3", "gender=F"},
        "bob": {"all", "cold_item", "tail_item", "history_1_to_3"},  # no gender is known
        "cat": {"all", "tail_item", "history_over_5"},
        "dan": {"all", "cold_item", "tail_item", "history_4_to_5"},
    }


@pytest.mark.parametrize(
    ("had", "band"),
    [(3, "history_1_to_3"), (4, "history_4_to_5"), (5, "history_4_to_5"), (6, "history_over_5")],
)
def test_a_bands_ends_are_in_it(spark: SparkSession, rules: EvaluationConfig, had: int, band: str) -> None:
    assert band in sliced(spark, rules, ("ann", had, 1))["ann"]


@pytest.mark.parametrize("changed", [{"segment": None}, {"segment": "no such attribute"}])
def test_without_a_segment_there_are_no_slices_of_it(
    spark: SparkSession, rules: EvaluationConfig, changed: dict[str, Any]
) -> None:
    assert sliced(spark, rules.model_copy(update=changed), ("ann", 4, 1)) == {
        "ann": {"all", "history_4_to_5"}
    }


def test_without_bands_all_histories_are_over_nothing(spark: SparkSession, rules: EvaluationConfig) -> None:
    plain = rules.model_copy(update={"history_bands": (), "segment": None})
    assert sliced(spark, plain, ("ann", 4, 1)) == {"ann": {"all", "history_over_0"}}


def test_the_slices_told_of_are_known_without_a_row(rules: EvaluationConfig) -> None:
    bands = ["history_1_to_3", "history_4_to_5", "history_over_5"]
    assert slices.always_told(rules) == ["all", "cold_user", "cold_item", "tail_item", *bands]
