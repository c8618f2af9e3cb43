"""Runs of the lake in a real MLflow store: one for each training and scoring, however often it is told."""

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from pydantic import ValidationError

from lstmrec import sections, tracking
from lstmrec.errors import BadInput
from lstmrec.lake import tables as t
from lstmrec.lake.store import Lake
from lstmrec.sections import TrackingConfig
from tests.report.planted import gates, metrics, model_runs, put

pytestmark = pytest.mark.slow


@pytest.fixture
def planted(lake: Lake, tmp_path: Path) -> Lake:
    put(lake, t.MODEL_RUNS, model_runs(tmp_path / "artifact"))
    put(lake, t.METRICS, metrics())
    put(lake, t.RECOMMENDATION_RUNS, gates())
    return lake


@pytest.fixture
def store(tmp_path: Path) -> TrackingConfig:
    return TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db", experiment="shop")


def runs(store: TrackingConfig) -> list[Run]:
    client = MlflowClient(tracking_uri=store.uri)
    experiment = client.get_experiment_by_name(store.experiment)
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def curve(store: TrackingConfig, run: Run, name: str) -> list[tuple[int, float]]:
    told = MlflowClient(tracking_uri=store.uri).get_metric_history(run.info.run_id, name)
    return sorted((each.step, each.value) for each in told)


def test_a_training_has_its_settings_inputs_metrics_curves_and_duration(
    planted: Lake, store: TrackingConfig, tmp_path: Path
) -> None:
    for _ in range(2):  # a rerun tells it again
        tracking.model(planted, store, "new")
    (run,) = runs(store)
    assert (run.info.run_name, run.info.status) == ("new", "FINISHED")
    assert run.info.end_time - run.info.start_time == 3_000
    assert run.data.params == {"model.width": "32", "training.loss": '"full"'}
    assert run.data.tags.items() >= {
        "kind": "training", "stage": "candidate", "artifact": str(tmp_path / "artifact"), "code_version": "1",
        "version.sequences": "3", "version.item_index": "1",
    }.items()  # fmt: skip
    expected = {"loss": 2.5, "n_rows": 12, "test_ndcg_at_10": 0.3, "test_ndcg_at_5": 0.9}
    assert run.data.metrics.items() >= (expected | {"test_item_coverage_at_10": 0.5}).items()
    assert curve(store, run, "epoch.loss") == [(1, 3.0), (2, 2.5), (3, 2.25)]
    assert curve(store, run, "epoch.ndcg_at_10") == [(1, 0.1), (2, 0.2), (3, 0.15)]


def test_a_refused_scoring_has_failed_and_says_what_the_gate_found(
    planted: Lake, store: TrackingConfig
) -> None:
    for rules in ("r0", "r1"):
        tracking.lists(planted, store, f"score-{rules}")
    told: dict[str, Any] = {run.info.run_name: run for run in runs(store)}
    assert {name: run.info.status for name, run in told.items()} == {
        "score-r0": "FAILED",
        "score-r1": "FINISHED",
    }
    refused = told["score-r0"].data
    assert refused.metrics == {
        "n_users": 2, "n_rows": 6, "rows_by_source.model": 6, "gate.short lists": 2, "gate.users": 2,
    }  # fmt: skip
    assert refused.tags.items() >= {
        "kind": "scoring", "is_published": "false", "ruleset_version": "r0", "model_version": "old",
        "config": '{"scoring": {"n": 3}}', "version.sequences": "3",
    }.items()  # fmt: skip


def test_without_a_store_nothing_is_written_and_nothing_is_asked_of_the_lake(
    lake: Lake, tmp_path: Path
) -> None:
    nowhere = TrackingConfig(uri=None, experiment="shop")
    tracking.model(lake, nowhere, "of no training")
    tracking.lists(lake, nowhere, "of no scoring")
    assert not list(tmp_path.rglob("*.db"))


def test_a_store_that_does_not_answer_is_told_in_the_log_and_the_job_goes_on(
    planted: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    gone = TrackingConfig(uri="http://127.0.0.1:9", experiment="shop")
    tracking.model(planted, gone, "new")
    (told,) = [line for line in caplog.messages if line.startswith("tracking.uri")]
    assert told.startswith("tracking.uri: http://127.0.0.1:9: new is in the lake, but not in MLflow")


def test_a_store_is_refused_where_mlflow_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "find_spec", lambda name: None)
    with pytest.raises(ValidationError, match="needs MLflow, which is not installed"):
        TrackingConfig(uri="sqlite:///runs.db", experiment="shop")
    assert TrackingConfig(uri=None, experiment="shop").uri is None


def test_a_run_that_the_lake_does_not_know_is_named(planted: Lake, store: TrackingConfig) -> None:
    with pytest.raises(BadInput, match="model_runs: no run 'of no training'"):
        tracking.model(planted, store, "of no training")
