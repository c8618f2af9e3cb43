"""A user's mistake: one line that says what, where and what to do, exit code 2, and no table written."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.lake import tables as t
from lstmrec.lake.store import Lake
from tests.jobs.shop import LAST_DAY, Shop, job, make_shop


@pytest.fixture(scope="module")
def unrun(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("unrun"))


def refusal(name: str, flags: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which the job refuses."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        job(name)(flags)
    assert stopped.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith(f"{name}: ")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": {"widht": 3}}, ["model.widht", "unknown key"]),
        ({"model": {"width": 0}}, ["model.width", "greater than or equal to 1"]),
        (
            {"source": {"events": "/nowhere/at/all"}},
            ["source.events", "/nowhere/at/all", "set it to"],
        ),
    ],
)
def test_a_wrong_configuration_is_named_with_its_key(
    spark: SparkSession, unrun: Shop, capsys: pytest.CaptureFixture[str], changes: Any, expected: list[str]
) -> None:
    line = refusal("ingest_events", unrun.override("wrong.yaml", changes), capsys)
    assert all(part in line for part in expected), line
    assert not (unrun.folder / "lake").exists()


def test_a_log_folder_without_files_of_the_day_is_named(
    spark: SparkSession, unrun: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refusal("ingest_events", ["--conf", str(unrun.conf), "--run-date", "2025-12-31"], capsys)
    assert "holds no file of a day up to 2025-12-31 by source.day_pattern" in line
    assert not (unrun.folder / "lake").exists()


def test_a_missing_catalogue_is_named_and_no_table_is_made(
    spark: SparkSession, unrun: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = unrun.override("wrong.yaml", {"source": {"items": "/nowhere/items.jsonl"}})
    assert "source.items: no file /nowhere/items.jsonl" in refusal("ingest_catalogue", flags, capsys)
    assert not (unrun.folder / "lake").exists()


@pytest.mark.parametrize(
    "name", ["build_sessions", "build_item_index", "build_sequences", "train_model", "evaluate_model"]
)
def test_a_missing_table_is_named_with_what_to_do(
    spark: SparkSession, unrun: Shop, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert "run the job that writes it" in refusal(name, unrun.flags(), capsys)


@pytest.fixture
def copy(shop: Shop, tmp_path: Path) -> Shop:
    """A copy of the shop's lake and configuration that a test may spoil."""
    shutil.copytree(shop.folder, tmp_path, dirs_exist_ok=True)
    text = shop.conf.read_text().replace(str(shop.folder), str(tmp_path))
    (tmp_path / "shop.yaml").write_text(text)
    return Shop(tmp_path, shop.log, shop.planted)


@pytest.mark.slow
def test_a_table_with_another_schema_stops_the_job_before_it_writes(
    spark: SparkSession, copy: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(copy.folder / "lake" / "events")
    events = spark.read.format("delta").load(path).withColumn(c.SITE, F.lit(1)).drop(c.USER_AGENT).persist()
    events.count()
    shutil.rmtree(path)
    events.write.format("delta").save(path)
    before = Lake(spark, str(copy.folder / "lake"), {}).version(t.SESSIONS)

    line = refusal("build_sessions", copy.flags(), capsys)
    assert "events" in line
    assert "user_agent is missing" in line
    assert "site is int, not string" in line
    assert Lake(spark, str(copy.folder / "lake"), {}).version(t.SESSIONS) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evaluate_model", "score_recommendations"])
def test_an_artifact_made_with_another_item_index_stops_the_job_before_it_writes(
    spark: SparkSession, copy: Shop, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    lake = Lake(spark, str(copy.folder / "lake"), {})
    moved = lake.read(t.ITEM_INDEX).withColumn(c.ITEM_INDEX, 1 + F.col(c.ITEM_INDEX) % 160).persist()
    moved.count()
    lake.replace(t.ITEM_INDEX, moved.select(*t.ITEM_INDEX.columns))
    written = t.METRICS if name == "evaluate_model" else t.RECOMMENDATIONS
    before = lake.version(written)

    line = refusal(name, copy.flags(), capsys)
    assert "made with another item index" in line
    assert "train" in line
    assert Lake(spark, str(copy.folder / "lake"), {}).version(written) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train_model", "evaluate_model", "score_recommendations"])
def test_sequences_of_another_day_are_not_taken_for_those_of_the_run_date(
    spark: SparkSession, shop: Shop, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    line = refusal(name, shop.flags(LAST_DAY + timedelta(days=1)), capsys)
    assert f"sequences: of {LAST_DAY} and not of {LAST_DAY + timedelta(days=1)}" in line
    assert "run build_sequences for that date first" in line


@pytest.mark.slow
def test_a_day_before_the_first_model_has_none(
    spark: SparkSession, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refusal("score_recommendations", shop.flags(LAST_DAY.replace(day=5)), capsys)
    assert "no model serves 2026-01-05" in line
    assert "train_model" in line
