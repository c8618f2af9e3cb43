"""The gate finds each planted fault, and passes sound lists."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from lstmrec import gate
from lstmrec.config import Config
from lstmrec.errors import Refused
from lstmrec.gate import Night, Verdict
from lstmrec.sections import GateConfig
from lstmrec.shelf import EVERYBODY, Popular, Shelf

Row = tuple[str, int, str, float, str]

TOLD = "the lists of 2026-01-31 are not published, those before stay current:"
SHELF = Shelf(
    item_ids=np.array(["", "a", "b", "c", "d", "hidden", "adult"], object),
    allowed=np.array([False, True, True, True, True, False, True]),
    promoted=np.zeros(7, bool),
    categories=np.zeros((7, 1), np.int32),
    allowed_for={"kids": np.array([False, True, True, True, True, False, False])},
    popular={EVERYBODY: Popular(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool))},
)
SOUND: list[Row] = [
    ("ann", 1, "b", 2.0, "model"), ("ann", 2, "c", 1.0, "model"),
    ("bob", 1, "adult", 2.0, "model"), ("bob", 2, "b", -1.0, "model"),
    ("cat", 1, "a", 9.0, "popular"), ("cat", 2, "b", 8.0, "popular"),
]  # fmt: skip
USERS = [("ann", 3, [1], "kids"), ("bob", 2, [3], None), ("cat", 0, [], "kids")]


@pytest.fixture(scope="module")
def limits(config: Config) -> GateConfig:
    return config.gate.model_copy(
        update={"min_users_share": 0.6, "max_fallback_share": 0.2, "min_overlap": 0.3, "max_overlap": 0.9}
    )


def lists(spark: SparkSession, rows: Sequence[Row]) -> DataFrame:
    return spark.createDataFrame(
        list(rows), "user_id string, rank int, item_id string, score double, source string"
    )


def night(spark: SparkSession, rows: Sequence[Row], previous: Sequence[Row] | None = None) -> Night:
    users = spark.createDataFrame(USERS, "user_id string, length int, seen array<int>, segment string")
    index = [(item, place) for place, item in enumerate(SHELF.item_ids) if item]
    return Night(
        lists=lists(spark, rows),
        users=users,
        previous=None if previous is None else lists(spark, previous),
        shelf=SHELF,
        index=spark.createDataFrame(index, "item_id string, item_index int"),
        n=2,
    )


def failing(verdicts: list[Verdict]) -> dict[str, float]:
    return {verdict.rule: verdict.value for verdict in verdicts if not verdict.is_met}


def changed(place: int, **fields: object) -> list[Row]:
    names = ("user_id", "rank", "item_id", "score", "source")
    row = dict(zip(names, SOUND[place], strict=True)) | fields
    return [*SOUND[:place], tuple(row[name] for name in names), *SOUND[place + 1 :]]  # type: ignore[list-item]


def test_sound_lists_pass_every_rule(spark: SparkSession, limits: GateConfig) -> None:
    verdicts = gate.judge(night(spark, SOUND), limits)
    assert failing(verdicts) == {}
    assert [verdict.rule for verdict in verdicts] == [
        "users", "short lists", "wrong ranks", "repeated items", "infinite scores", "items not allowed",
        "excluded items", "share of fallbacks",
    ]  # fmt: skip
    gate.require_met(verdicts, TOLD)


@pytest.mark.parametrize(
    ("rows", "rule", "value"),
    [
        (SOUND[:-1], "short lists", 1),
        (SOUND[:4], "short lists", 1),  # no list at all
        (changed(1, rank=3), "wrong ranks", 1),
        (changed(1, rank=1), "wrong ranks", 1),
        ([*SOUND, ("ann", 3, "d", 0.0, "model")], "wrong ranks", 1),
        (changed(1, item_id="b"), "repeated items", 1),
        (changed(0, score=float("nan")), "infinite scores", 1),
        (changed(0, score=float("-inf")), "infinite scores", 1),
        (changed(2, item_id="hidden"), "items not allowed", 1),
        (changed(0, item_id="adult"), "items not allowed", 1),  # bob may have it, ann is a kid
        (changed(0, item_id="unknown"), "items not allowed", 1),
        (changed(0, item_id="a"), "excluded items", 1),
        (changed(0, source="popular"), "share of fallbacks", 0.25),  # of four rows of warm users
    ],
)
def test_each_fault_is_found_by_its_rule_alone(
    spark: SparkSession, limits: GateConfig, rows: list[Row], rule: str, value: float
) -> None:
    assert failing(gate.judge(night(spark, rows), limits)) == {rule: value}


def test_too_few_users_and_lists_that_change_too_much_or_not_at_all_are_found(
    spark: SparkSession, limits: GateConfig
) -> None:
    def found(previous: Sequence[Row]) -> dict[str, float]:
        return failing(gate.judge(night(spark, SOUND, previous), limits))

    assert found(changed(1, item_id="d")) == {}  # 5 of 6 stayed
    assert found(SOUND) == {"overlap": 1.0}
    others: list[Row] = [(user, rank, "d" if rank == 1 else "a", 0.0, "model") for user, rank, *_ in SOUND]
    assert found(others) == {"overlap": pytest.approx(1 / 6)}  # cat's a
    many: list[Row] = [*changed(1, item_id="d"), *((f"user-{n}", 1, "a", 0.0, "model") for n in range(5))]
    assert found(many) == {"share of users": 3 / 8}


def test_lists_for_nobody_are_found(spark: SparkSession, limits: GateConfig) -> None:
    empty = replace(night(spark, []), users=night(spark, []).users.where("false"))
    assert failing(gate.judge(empty, limits)) == {"users": 0.0}


def test_a_refusal_shows_all_verdicts_and_what_to_do_on_one_screen(
    spark: SparkSession, limits: GateConfig
) -> None:
    verdicts = gate.judge(night(spark, SOUND[:-1]), limits)
    with pytest.raises(Refused) as refusal:
        gate.require_met(verdicts, TOLD)
    lines = str(refusal.value).splitlines()
    assert lines[0] == "gate: the lists of 2026-01-31 are not published, those before stay current:"
    assert len(lines) == 1 + len(verdicts)
    (bad,) = (line for line in lines if "FAIL" in line)
    assert bad.split()[:5] == ["FAIL", "short", "lists", "1", "(none)"]
    assert "  users with fewer than 2 items: too few are allowed; see scoring.rules" in bad
