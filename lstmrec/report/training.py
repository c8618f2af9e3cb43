"""How the newest model came about: its curves, and what it was made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pyspark.sql import Row as TableRow
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.lake.model_tables import MODEL_RUNS
from lstmrec.lake.store import Lake
from lstmrec.learn import history
from lstmrec.report.charts import Axis, Row, Series, lines
from lstmrec.report.parts import Chart, Section, Table, nothing

_TITLE: Final = "Training"


@dataclass(frozen=True)
class _Curves:
    """A chart by epoch: its upright axis, which fields are drawn by what name, and what to mind."""

    up: Axis
    fields: Mapping[str, str]
    mind: str = ""


_CHARTS: Final = {
    "Loss": _Curves(
        Axis("loss", unit="nats"),
        {"loss": "loss", "validation_loss": "validation loss"},
        " Training's own is with dropout and as training.loss has it: not to be compared with the other.",
    ),
    "Accuracy": _Curves(
        Axis("share of users", form=".0%"),
        {
            "accuracy": "accuracy",
            "validation_accuracy": "validation accuracy",
            "hit_rate_at_10": "validation hit rate at 10",
        },
        " Accuracy: the item held out ranks first; that of training is of a sample of its rows.",
    ),
    "Quality of ranking": _Curves(Axis("NDCG at 10"), {"ndcg_at_10": "validation NDCG at 10"}),
}


def of_training(lake: Lake, run_date: date, n_runs: int) -> Section:
    """The curves of the model trained last up to `run_date`, and the last `n_runs` trainings."""
    if not lake.exists(MODEL_RUNS):
        return nothing(_TITLE, "No model was trained yet; see train_model.")
    trained = lake.read(MODEL_RUNS).where(F.col(c.RUN_DATE) <= F.lit(run_date))
    runs = trained.orderBy(F.desc(c.RUN_DATE), F.desc(c.MODEL_VERSION)).take(n_runs)
    if not runs:
        return nothing(_TITLE, f"No model was trained up to {run_date}; see train_model.")
    newest = runs[0]
    told = history.read(newest["artifact"])
    note = f"Model {newest[c.MODEL_VERSION]}, trained for {newest[c.RUN_DATE]}."
    if told is None:
        note += f" Its curves are gone with its artifact, {newest['artifact']}."
    tiles = {
        "epochs kept": newest["best_epoch"],
        "items": newest["n_items"],
        "processes": newest["processes"],
    }
    table = Table("Trainings", "Table model_runs, newest first.", [_run(row) for row in runs])
    return Section(_TITLE, note, tiles, _charts(told or {}, newest["best_epoch"]), [table])


def _charts(told: Mapping[str, Any], best: int) -> list[Chart]:
    epochs = told.get("history", [])
    charts = []
    for title, curves in _CHARTS.items():
        rows: list[Row] = [
            {"epoch": epoch["epoch"], curves.up.field: epoch[field], "of": name}
            for field, name in curves.fields.items()
            for epoch in epochs
            if epoch.get(field) is not None
        ]
        if rows:
            spec = lines(rows, Axis("epoch", form="d"), curves.up, Series("of", list(curves.fields.values())))
            note = (
                f"Over all {told['processes']} processes. Epoch {best} was chosen by validation.{curves.mind}"
            )
            charts.append(Chart(title, note, rows, spec))
    return charts


def _run(row: TableRow) -> Row:
    metrics = {name.replace("_", " "): round(value, 4) for name, value in sorted(row["metrics"].items())}
    return {
        "run date": row[c.RUN_DATE],
        "model": row[c.MODEL_VERSION],
        "stage": row["stage"],
        "best epoch": row["best_epoch"],
        **metrics,
        "made of": ", ".join(f"{name} v{v}" for name, v in sorted(row["table_versions"].items())),
    }
