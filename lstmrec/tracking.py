"""The runs of the lake in MLflow too, where tracking.uri names a store: a copy to look at, no more.

`model_runs` and `recommendation_runs` hold the record of each run. What MLflow shows is made of their rows,
and may be made again at any time: a run of the lake is one run there, found by its tag `lstmrec.id`.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final

from pyspark.sql import Row
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import BadInput
from lstmrec.lake.list_tables import RECOMMENDATION_RUNS
from lstmrec.lake.model_tables import METRICS, MODEL_RUNS
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from lstmrec.learn import history
from lstmrec.sections import TrackingConfig

log = logging.getLogger(__name__)

_ID: Final = "lstmrec.id"
_METRICS_A_CALL: Final = 1000
_LONGEST_TAG: Final = 5000


@dataclass(frozen=True)
class _Tracked:
    """A run as MLflow is to show it."""

    name: str
    run_date: date
    seconds: float
    is_finished: bool
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)
    curves: Sequence[Mapping[str, float]] = ()
    """Values by name at each epoch, which is one of them."""


def model(lake: Lake, rules: TrackingConfig, model_version: str) -> None:
    """Show a training: its settings, curves, inputs and stage, and its held-out metrics where it has some."""
    if rules.uri is None:
        return
    run = _row(lake, MODEL_RUNS, c.MODEL_VERSION, model_version)
    told = history.read(run["artifact"]) or {}
    _show(
        rules,
        _Tracked(
            name=model_version,
            run_date=run[c.RUN_DATE],
            seconds=run["seconds"],
            is_finished=True,
            metrics={**run["metrics"], **_held_out(lake, model_version), c.N_ROWS: run[c.N_ROWS]},
            tags={"kind": "training", "stage": run["stage"], **_inputs(run)},
            params=dict(_flat(json.loads(run["config"]))),
            curves=told.get("history", ()),
        ),
    )


def lists(lake: Lake, rules: TrackingConfig, run_id: str) -> None:
    """Show a scoring: its settings, inputs, sources and what the gate found; failed where it refused."""
    if rules.uri is None:
        return
    run = _row(lake, RECOMMENDATION_RUNS, c.RUN_ID, run_id)
    sources = {f"rows_by_source.{name}": n for name, n in run["rows_by_source"].items()}
    found = {f"gate.{verdict['rule']}": verdict["value"] for verdict in run["verdicts"]}
    told = {
        "kind": "scoring",
        "config": run["config"],
        "is_published": str(run["is_published"]).lower(),
        **{name: run[name] for name in (c.MODEL_VERSION, c.RULESET_VERSION)},
    }
    _show(
        rules,
        _Tracked(
            name=run_id,
            run_date=run[c.RUN_DATE],
            seconds=run["seconds"],
            is_finished=run["is_published"],
            metrics={name: run[name] for name in ("n_users", c.N_ROWS)} | sources | found,
            tags=told | _inputs(run),
        ),
    )


def _row(lake: Lake, table: Table, key: str, value: str) -> Row:
    """The row as it is by now: this run may have written it."""
    rows = lake.read_version(table, lake.version(table)).where(F.col(key) == value).collect()
    if not rows:
        raise BadInput(f"{table.name}: no run {value!r}; run the job again")
    return rows[0]


def _held_out(lake: Lake, model_version: str) -> dict[str, float]:
    """The newest metrics of the model on all users, `test_ndcg_at_10` and the like."""
    if not lake.exists(METRICS):
        return {}
    told = lake.read_version(METRICS, lake.version(METRICS))
    own = (F.col(c.MODEL_VERSION) == model_version) & (F.col(c.SLICE) == "all")
    rows = told.where(own).orderBy(c.RUN_DATE, F.desc("model")).collect()
    return {f"test_{row['metric']}_at_{row['k']}": row["value"] for row in rows}


def _inputs(run: Row) -> dict[str, str]:
    versions = {f"version.{table}": str(version) for table, version in run["table_versions"].items()}
    return {"artifact": run["artifact"], "code_version": run["code_version"], **versions}


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """`model.width` and the like, each a text."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", json.dumps(value)


def _show(rules: TrackingConfig, run: _Tracked) -> None:
    """Write the run into the store; a store that fails is told in the log, and the job goes on."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it would tell its makers of each use
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        _write(MlflowClient(tracking_uri=rules.uri), rules.experiment, run)
    except MlflowException as error:
        log.warning(
            "tracking.uri: %s: %s is in the lake, but not in MLflow; mend it and run the job again (%s)",
            rules.uri,
            run.name,
            " ".join(str(error).split()),
        )


def _write(client: Any, experiment: str, run: _Tracked) -> None:
    from mlflow.entities import Metric, Param, RunTag

    known = client.get_experiment_by_name(experiment)
    place = known.experiment_id if known else client.create_experiment(experiment)
    found = client.search_runs([place], f"tags.`{_ID}` = '{run.name}'")
    info = (found[0] if found else client.create_run(place, tags={_ID: run.name}, run_name=run.name)).info
    as_of = int(datetime.combine(run.run_date, time(), UTC).timestamp() * 1000)
    metrics = [Metric(_named(name), float(value), as_of, 0) for name, value in run.metrics.items()] + [
        Metric(f"epoch.{name}", float(value), as_of, int(epoch["epoch"]))
        for epoch in run.curves
        for name, value in epoch.items()
        if name != "epoch" and value is not None
    ]
    for start in range(0, len(metrics), _METRICS_A_CALL):
        client.log_batch(info.run_id, metrics=metrics[start : start + _METRICS_A_CALL])
    client.log_batch(
        info.run_id,
        params=[Param(name, value) for name, value in run.params.items()],
        tags=[RunTag(name, value[:_LONGEST_TAG]) for name, value in run.tags.items()],
    )
    status = "FINISHED" if run.is_finished else "FAILED"
    client.set_terminated(info.run_id, status, end_time=info.start_time + int(run.seconds * 1000))


def _named(name: str) -> str:
    """A name that MLflow takes for a metric."""
    return "".join(letter if letter.isalnum() or letter in "_-. /" else "_" for letter in name)
