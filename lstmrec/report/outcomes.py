"""What users did with lists of days before: how often they clicked, at which place, of which source."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from pyspark.sql import Row as TableRow

from lstmrec import columns as c
from lstmrec.lake.outcome_tables import OUTCOMES
from lstmrec.lake.store import Lake
from lstmrec.report import runs
from lstmrec.report.charts import Axis, Row, Series, intervals, lines
from lstmrec.report.parts import Chart, Section, Table, nothing, spread

_TITLE: Final = "Outcomes"
_MAIN: Final = "click_through"
_POLICIES: Final = ("shown", "previous")
_TILES: Final = {"click_through": "click-through", "users_with_click": "users with a click"}
_PARTS: Final = {c.RANK: "place", c.SOURCE: "source", c.SLICE: "slice"}


def of_outcomes(lake: Lake, run_date: date, n_runs: int) -> Section:
    """The newest outcomes up to `run_date`, and how they went over `n_runs` run dates."""
    if not lake.exists(OUTCOMES):
        return nothing(_TITLE, "None were measured yet; see measure_outcomes.")
    days, rows = runs.newest(lake.read(OUTCOMES), run_date, n_runs)
    if not days:
        return nothing(_TITLE, f"None were measured up to {run_date}; see measure_outcomes.")
    here = [row for row in rows if row[c.RUN_DATE] == days[0]]
    overall = [row for row in here if _is_overall(row)]
    shown = {row["metric"]: row["value"] for row in overall if row["policy"] == "shown"}
    return Section(
        _TITLE,
        f"Lists of {here[0]['list_date']}, by the events up to {days[0]}. Lines are 95 % intervals.",
        {name: _percent(shown[metric]) for metric, name in _TILES.items() if metric in shown},
        [*_by_run(rows), *(chart for part in _PARTS for chart in _by_part(here, part))],
        [_figures(overall)],
    )


def _is_overall(row: TableRow) -> bool:
    return (row[c.SLICE], row[c.SOURCE], row[c.RANK]) == ("all", "all", 0)


def _by_run(rows: Sequence[TableRow]) -> list[Chart]:
    found = sorted(
        (
            row
            for row in rows
            if _is_overall(row) and (row["metric"], row["policy"]) == (_MAIN, "shown") and row["n"]
        ),
        key=lambda row: row["list_date"],
    )
    drawn: list[Row] = [
        {"lists of": str(row["list_date"]), "click-through": row["value"], "places": row["n"], "of": "shown"}
        for row in found
    ]
    if len(drawn) < 2:
        return []
    spec = lines(
        drawn, Axis("lists of", "ordinal"), Axis("click-through", form=".1%"), Series("of", _POLICIES)
    )
    return [Chart("Click-through by day", "Places with a click, of the places shown.", drawn, spec)]


def _by_part(here: Sequence[TableRow], part: str) -> list[Chart]:
    """Click-through by rank, by source or by slice; the other two are whole."""
    whole = {c.RANK: 0, c.SOURCE: "all", c.SLICE: "all"}
    found = [
        row
        for row in here
        if (row["metric"], row["policy"]) == (_MAIN, "shown")
        and row["n"]
        and row[part] != whole[part]
        and all(row[other] == value for other, value in whole.items() if other != part)
    ]
    name = _PARTS[part]
    drawn: list[Row] = [
        {
            name: row[part], "value": row["value"], "low": row["ci_low"], "high": row["ci_high"],
            "places": row["n"], "of": "shown",
        }
        for row in sorted(found, key=lambda row: row[part])
    ]  # fmt: skip
    if not drawn:
        return []
    spec = intervals(drawn, Axis("value", form=".1%"), Axis(name, "ordinal"), Series("of", _POLICIES))
    note = f"Of {sum(row['n'] for row in found):,} places shown, the share whose item the user then clicked."
    return [Chart(f"Click-through by {name}", note, drawn, spec)]


def _figures(overall: Sequence[TableRow]) -> Table:
    order = {policy: n for n, policy in enumerate(_POLICIES)}
    rows: list[Row] = [
        {
            "metric": f"{row['metric']} at {row['k']}" if row["k"] else row["metric"],
            "lists": row["policy"],
            "value": spread(row["value"], row["ci_low"], row["ci_high"]),
            "over": row["n"],
            "offered": row["n_offered"],
            "users": row["n_users"],
        }
        for row in sorted(overall, key=lambda r: (order[r["policy"]], r["metric"], r["k"]))
    ]
    note = (
        "Table outcomes, all users, sources and places; shown: the lists as they were; previous: the ones "
        "before, had they been shown. docs/outcomes.md says what counts."
    )
    return Table("All outcomes", note, rows)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.2%}"
