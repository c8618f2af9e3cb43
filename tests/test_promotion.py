"""Which candidates serve: by their metrics beside popularity's and those of the model that serves."""

from datetime import date

import pytest

from lstmrec import gate, promotion
from lstmrec.config import Config
from lstmrec.errors import BadInput, Refused
from lstmrec.lake.model_tables import METRICS
from lstmrec.lake.models import ModelRun
from lstmrec.lake.store import Lake
from lstmrec.sections import GateConfig

TODAY = date(2026, 1, 31)


def model(version: str) -> ModelRun:
    return ModelRun(version, f"models/{version}", 9, "f", TODAY)


@pytest.fixture
def limits(config: Config) -> GateConfig:
    return config.gate.model_copy(update={"margin": 0.01})


def measured(lake: Lake, lstm: float, serving: float | None = None) -> Lake:
    """A lake whose metrics say so of today; popularity is at .05, .04 to .06."""
    figures = [("lstm", "new", lstm), ("popularity", None, 0.05)]
    figures += [("serving", "old", serving)] if serving is not None else []
    rows = [
        {
            **{"run_date": TODAY, "model": name, "dataset": "test", "slice": part, "metric": "ndcg", "k": 10},
            **{"value": value, "ci_low": value - 0.01, "ci_high": value + 0.01, "n_users": 9},
            "model_version": version,
        }
        for name, version, whole in figures
        for part, value in (("all", whole), ("cold user", 0.0))
    ]
    lake.append(METRICS, lake.spark.createDataFrame(rows, METRICS.schema))
    return lake


@pytest.mark.parametrize(
    ("lstm", "serving", "expected"),
    [
        (0.04, None, {"not below popular": True}),
        (0.0399, None, {"not below popular": False}),
        (0.08, 0.09, {"not below popular": True, "not below current": True}),
        (0.0799, 0.09, {"not below popular": True, "not below current": False}),
    ],
)
def test_a_candidate_serves_if_it_is_not_below_popularity_nor_far_below_what_serves(
    lake: Lake, limits: GateConfig, lstm: float, serving: float | None, expected: dict[str, bool]
) -> None:
    now = model("old") if serving is not None else None
    verdicts = promotion.judge(measured(lake, lstm, serving), TODAY, model("new"), now, limits)
    assert {verdict.rule: verdict.is_met for verdict in verdicts} == expected
    if all(expected.values()):
        gate.require_met(verdicts, promotion.refusal("new"))
    else:
        with pytest.raises(
            Refused, match=r"^gate: new does not serve, what served before goes on;[\s\S]*FAIL"
        ):
            gate.require_met(verdicts, promotion.refusal("new"))


def test_without_figures_of_the_candidate_or_of_what_serves_the_job_to_run_is_named(
    lake: Lake, limits: GateConfig
) -> None:
    known = measured(lake, 0.1)
    with pytest.raises(BadInput, match=r"^metrics: no ndcg at 10 of newer on 2026-01-31; run evaluate_model"):
        promotion.judge(known, TODAY, model("newer"), None, limits)
    with pytest.raises(BadInput, match="of old on 2026-01-31"):
        promotion.judge(known, TODAY, model("new"), model("old"), limits)
