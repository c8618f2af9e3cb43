"""Whether a trained model is to serve: its metrics beside popularity's and those of the one that serves."""

from datetime import date
from typing import Any, Final

from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import BadInput
from lstmrec.gate import Verdict
from lstmrec.lake.model_tables import METRICS
from lstmrec.lake.models import ModelRun
from lstmrec.lake.store import Lake
from lstmrec.sections import GateConfig

BASELINE: Final = "popularity"
_METRIC, _K = "ndcg", 10


def judge(
    lake: Lake, run_date: date, candidate: ModelRun, serving: ModelRun | None, limits: GateConfig
) -> list[Verdict]:
    """Verdicts on the candidate's NDCG@10 over all users of the held-out items of `run_date`.

    It is not to be below the lower end of popularity's interval, nor by more than the margin below the
    model that serves now.

    Raises
    ------
    BadInput
        Where `metrics` has no figure of one of them on that date.
    """
    figures = lake.read(METRICS).where(
        (F.col(c.RUN_DATE) == F.lit(run_date))
        & (F.col("slice") == "all")
        & (F.col("metric") == _METRIC)
        & (F.col("k") == _K)
    )
    rows = figures.collect()
    found = _figure(rows, candidate.model_version, c.MODEL_VERSION, run_date)["value"]
    floor = _figure(rows, BASELINE, "model", run_date)["ci_low"]
    verdicts = [
        Verdict(
            "not below popular", found, f"at least {floor:.4f}", found >= floor,
            f"NDCG@{_K}: no better than what everybody has; look at the log, the sequences and the training",
        )
    ]  # fmt: skip
    if serving is not None and serving.model_version != candidate.model_version:
        least = _figure(rows, serving.model_version, c.MODEL_VERSION, run_date)["value"] - limits.margin
        verdicts.append(
            Verdict(
                "not below current", found, f"at least {least:.4f}", found >= least,
                f"NDCG@{_K}: worse than {serving.model_version} by more than gate.margin",
            )
        )  # fmt: skip
    return verdicts


def refusal(model_version: str) -> str:
    """What holds where a candidate does not pass, for gate.require_met."""
    return (
        f"{model_version} does not serve, what served before goes on; promote_model --model-version lets it "
        "serve all the same:"
    )


def _figure(rows: list[Any], name: str, column: str, run_date: date) -> Any:
    for row in rows:
        if row[column] == name:
            return row
    raise BadInput(
        f"metrics: no {_METRIC} at {_K} of {name} on {run_date}; run evaluate_model, with {_K} in "
        "evaluation.ks"
    )
