from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pytest
from pyspark.sql import DataFrame, SparkSession

from lstmrec.errors import BadInput
from lstmrec.lake import models
from lstmrec.lake.model_tables import MODEL_RUNS
from lstmrec.lake.models import ModelRun
from lstmrec.lake.store import Lake


def run(
    version: str, day: int, stage: str = models.CURRENT, made_of: Mapping[str, int] = MappingProxyType({})
) -> dict[str, object]:
    told = {"model_version": version, "run_date": date(2026, 1, day), "stage": stage}
    numbers = {
        "n_items": day,
        "processes": 2,
        "best_epoch": 1,
        "table_versions": dict(made_of),
        "metrics": {},
    }
    texts = {"artifact": f"models/{version}", "code_version": "0", "config": "{}", "index_fingerprint": "f"}
    return told | numbers | texts


def test_the_model_of_a_run_date_is_the_one_trained_last_up_to_it(lake: Lake) -> None:
    with pytest.raises(BadInput, match=r"^model_runs: no table at "):
        models.current(lake, date(2026, 1, 31))
    runs = [run("b", 10), run("a", 20), run("c", 5), run("d", 15, stage="rejected")]
    lake.append(MODEL_RUNS, lake.spark.createDataFrame(runs, MODEL_RUNS.schema))
    assert models.current(lake, date(2026, 1, 31)) == ModelRun("a", "models/a", 20, "f", date(2026, 1, 20))
    assert models.current(lake, date(2026, 1, 20)).model_version == "a"
    assert models.current(lake, date(2026, 1, 19)).model_version == "b"
    with pytest.raises(BadInput, match=r"^model_runs: no model serves 2026-01-04 at .*promote_model"):
        models.current(lake, date(2026, 1, 4))
    assert models.exists(lake, "d")
    assert not models.exists(lake, "e")


def test_the_model_made_current_last_serves_whatever_its_version(lake: Lake) -> None:
    runs = [run("z", 10), run("a", 10, models.CANDIDATE), run("b", 9)]
    lake.append(MODEL_RUNS, lake.spark.createDataFrame(runs, MODEL_RUNS.schema))
    candidate = models.candidate(lake, date(2026, 1, 31))
    assert candidate == ModelRun("a", "models/a", 10, "f", date(2026, 1, 10))
    models.make_current(lake, candidate)
    rows = lake.read_version(MODEL_RUNS, lake.version(MODEL_RUNS)).select("model_version", "stage").collect()
    assert {tuple(row) for row in rows} == {("z", "retired"), ("a", "current"), ("b", "current")}
    assert models.current(Lake(lake.spark, lake.root, {}), date(2026, 1, 31)).model_version == "a"

    before = lake.version(MODEL_RUNS)
    models.make_current(lake, candidate)
    assert lake.version(MODEL_RUNS) == before


def test_a_model_trained_before_the_one_that_serves_is_no_candidate(lake: Lake) -> None:
    runs = [run("refused", 10, models.CANDIDATE), run("serving", 11), run("new", 12, models.CANDIDATE)]
    lake.append(MODEL_RUNS, lake.spark.createDataFrame(runs, MODEL_RUNS.schema))
    found = {day: models.candidate(lake, date(2026, 1, day)) for day in (9, 10, 11, 12)}
    assert {day: c.model_version if c else None for day, c in found.items()} == {
        9: None, 10: "refused", 11: None, 12: "new"
    }  # fmt: skip


def test_a_roll_back_retires_what_serves_from_that_date_on(lake: Lake) -> None:
    runs = [run("old", 5), run("good", 10, models.RETIRED), run("same day", 10), run("bad", 20)]
    lake.append(
        MODEL_RUNS, lake.spark.createDataFrame([*runs, run("next", 21, models.CANDIDATE)], MODEL_RUNS.schema)
    )
    with pytest.raises(
        BadInput, match=r"^model_runs: no model 'goood'; the newest are next, bad, good, same day"
    ):
        models.roll_back(lake, "goood")
    models.roll_back(lake, "good")
    after = Lake(lake.spark, lake.root, {})
    stages = {row["model_version"]: row["stage"] for row in after.read(MODEL_RUNS).collect()}
    assert stages == {
        "old": "current", "good": "current", "same day": "retired", "bad": "retired", "next": "candidate"
    }  # fmt: skip
    assert models.current(after, date(2026, 1, 31)).model_version == "good"


def test_in_use_is_what_serves_what_may_and_what_is_young(lake: Lake) -> None:
    assert models.versions_in_use(lake, date(2026, 1, 31), 10) == {}
    runs = [
        run("followed", 1, made_of={"sequences": 1}),  # its stage is current, but "serving" came after it
        run("waiting", 2, models.CANDIDATE, {"sequences": 2, "item_index": 1}),
        run("serving", 10, made_of={"sequences": 3}),
        run("too-old", 10, models.RETIRED, {"sequences": 4}),
        run("young", 22, models.RETIRED, {"sequences": 5}),
    ]
    lake.append(MODEL_RUNS, lake.spark.createDataFrame(runs, MODEL_RUNS.schema))
    in_use = models.versions_in_use(lake, date(2026, 1, 31), 10)
    assert in_use == {"sequences": {2, 3, 5}, "item_index": {1}}
    assert models.versions_in_use(lake, date(2026, 1, 9), 1)["sequences"] == {1, 2, 3, 4, 5}


def test_no_model_exists_in_a_new_lake(lake: Lake) -> None:
    assert not models.exists(lake, "a")


def index(spark: SparkSession, *rows: tuple[str | None, int]) -> DataFrame:
    return spark.createDataFrame(list(rows), "item_id string, item_index int")


def test_a_fingerprint_is_of_the_set_of_rows(spark: SparkSession) -> None:
    a, b, c = ("a", 1), ("b", 2), ("c", 3)
    whole = models.fingerprint(index(spark, a, b, c))
    assert models.fingerprint(index(spark, c, a, b).repartition(3)) == whole
    others = [
        models.fingerprint(index(spark, *rows))
        for rows in (
            [a, b, c, c],
            [a, b, ("C", 3)],
            [a, b, (None, 3)],
            [("b", 1), ("a", 2), c],  # the same cells, swapped
            [],
        )
    ]
    assert len({whole, *others}) == 6


def test_a_models_index_is_the_part_that_it_knows(spark: SparkSession) -> None:
    known = models.index_fingerprint(index(spark, ("a", 1), ("b", 2)), 2)
    assert models.index_fingerprint(index(spark, ("b", 2), ("new", 3), ("a", 1)), 2) == known
    assert models.index_fingerprint(index(spark, ("b", 1), ("a", 2)), 2) != known
