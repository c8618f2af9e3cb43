"""How good the model is on held-out items: beside the baselines, by slice, and beside the runs before."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import Row as TableRow
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.lake.model_tables import COMPARISONS, METRICS
from lstmrec.lake.store import Lake
from lstmrec.report import runs
from lstmrec.report.charts import Axis, Row, Series, intervals, lines
from lstmrec.report.parts import Chart, Section, Table, nothing, spread

MODEL: Final = "lstm"
_MODELS: Final = (MODEL, "serving", "popularity", "last_item_covisitation")
_HEADLINE: Final = ("ndcg", "hit_rate", "mrr")
_NAMES: Final = {"ndcg": "NDCG", "hit_rate": "hit rate", "mrr": "MRR", "item_coverage": "item coverage"}
_TITLE: Final = "Quality"
_PREFERRED_K: Final = 10


def of_quality(lake: Lake, run_date: date, n_runs: int) -> Section:
    """The newest metrics up to `run_date`, with the run before and the trend over `n_runs` run dates."""
    if not lake.exists(METRICS):
        return nothing(_TITLE, "Nothing was evaluated yet; see evaluate_model.")
    days, rows = runs.newest(lake.read(METRICS), run_date, n_runs)
    if not days:
        return nothing(_TITLE, f"Nothing was evaluated up to {run_date}; see evaluate_model.")
    k = _rank_limit(rows)
    here = [row for row in rows if row[c.RUN_DATE] == days[0] and row["k"] == k]
    overall = [row for row in here if row[c.SLICE] == "all"]
    before = [r for r in rows if r[c.RUN_DATE] == days[1] and r["k"] == k] if len(days) > 1 else []
    own = {row["metric"]: row["value"] for row in overall if row["model"] == MODEL}
    return Section(
        _TITLE,
        f"Evaluated on {days[0]}: the last item of {max(row['n_users'] for row in overall):,} users, ranked "
        "among all that the user had not had. Brackets and lines are 95 % intervals over users.",
        {f"{name} at {k}": round(own[metric], 4) for metric, name in _NAMES.items() if metric in own},
        [*_beside_baselines(overall, k), *_by_slice(here, k), *_by_run(rows, k)],
        [_figures(overall, before, k), *_leads(lake, days[0], k)],
    )


def _rank_limit(rows: Sequence[TableRow]) -> int:
    limits = {row["k"] for row in rows}
    return _PREFERRED_K if _PREFERRED_K in limits else max(limits)


def _point(row: TableRow, name: str) -> dict[str, object]:
    return {name: row["value"], "low": row["ci_low"], "high": row["ci_high"], "users": row["n_users"]}


def _by_model(rows: Sequence[Row]) -> Series:
    """A colour for each model of the rows, those that are not known here after the others."""
    return Series("model", [*_MODELS, *sorted({row["model"] for row in rows} - set(_MODELS))])


def _beside_baselines(overall: Sequence[TableRow], k: int) -> list[Chart]:
    charts = []
    for metric in _HEADLINE:
        found = [row for row in overall if row["metric"] == metric]
        found.sort(key=lambda row: -row["value"])
        name = f"{_NAMES[metric]} at {k}"
        rows: list[Row] = [{"model": row["model"], **_point(row, name)} for row in found]
        if rows:
            spec = intervals(rows, Axis(name), Axis("model", "ordinal"), _by_model(rows))
            charts.append(Chart(name, f"All {found[0]['n_users']:,} users; more is better.", rows, spec))
    return charts


def _by_slice(here: Sequence[TableRow], k: int) -> list[Chart]:
    metric = _HEADLINE[0]
    found = [row for row in here if row["metric"] == metric and row["model"] in (MODEL, "popularity")]
    found.sort(key=lambda row: (row[c.SLICE] != "all", row[c.SLICE], _MODELS.index(row["model"])))
    name = f"{_NAMES[metric]} at {k}"
    rows = [{"slice": row[c.SLICE], "model": row["model"], **_point(row, name)} for row in found]
    if len({row["slice"] for row in rows}) < 2:
        return []
    spec = intervals(rows, Axis(name), Axis("slice", "ordinal"), _by_model(rows))
    return [Chart(f"{name} by slice", "A slice of few users has a wide interval.", rows, spec)]


def _by_run(told: Sequence[TableRow], k: int) -> list[Chart]:
    metric = _HEADLINE[0]
    found = [r for r in told if (r["metric"], r["k"], r[c.SLICE]) == (metric, k, "all")]
    name = f"{_NAMES[metric]} at {k}"
    rows: list[Row] = [
        {"run date": str(row[c.RUN_DATE]), name: row["value"], "model": row["model"]}
        for row in sorted(found, key=lambda row: row[c.RUN_DATE])
    ]
    n_runs = len({row["run date"] for row in rows})
    if n_runs < 2:
        return []
    spec = lines(rows, Axis("run date", "ordinal"), Axis(name), _by_model(rows))
    return [Chart(f"{name} by run", f"The last {n_runs} evaluations, all users.", rows, spec)]


def _figures(overall: Sequence[TableRow], before: Sequence[TableRow], k: int) -> Table:
    """A row a metric, a column a model; the model of the evaluation before is the last column."""
    cells = {(r["metric"], r["model"]): spread(r["value"], r["ci_low"], r["ci_high"]) for r in overall}
    earlier = {
        row["metric"]: spread(row["value"], row["ci_low"], row["ci_high"])
        for row in before
        if row["model"] == MODEL and row[c.SLICE] == "all"
    }
    found = {model for _, model in cells}
    models = [name for name in _MODELS if name in found] + sorted(found - set(_MODELS))
    metrics = sorted({metric for metric, _ in cells})
    rows: list[Row] = [
        {"metric": metric, **{name: cells.get((metric, name), "none") for name in models}}
        | ({f"{MODEL} on {before[0][c.RUN_DATE]}": earlier.get(metric, "none")} if before else {})
        for metric in metrics
    ]
    note = "Table metrics, all users."
    return Table(f"All metrics at {k}", note if before else f"{note} There is no evaluation before.", rows)


def _leads(lake: Lake, day: date, k: int) -> list[Table]:
    if not lake.exists(COMPARISONS):
        return []
    rows: list[Row] = [
        {
            "metric": row["metric"],
            "ahead of": row["baseline"],
            "by": spread(row["difference"], row["ci_low"], row["ci_high"]),
            "p-value": f"{row['p_value']:.3g}",
            "users": row["n_users"],
        }
        for row in _compared(lake.read(COMPARISONS), day, k).collect()
    ]
    note = "Table comparisons: the same users for both; a small p-value says that it is not chance."
    return [Table(f"The lead of {MODEL} at {k}", note, rows)] if rows else []


def _compared(leads: DataFrame, day: date, k: int) -> DataFrame:
    of_day = (F.col(c.RUN_DATE) == F.lit(day)) & (F.col("k") == k) & (F.col(c.SLICE) == "all")
    return leads.where(of_day & F.col("metric").isin(*_HEADLINE)).orderBy("metric", "baseline")
