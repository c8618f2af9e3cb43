"""Charts as SVG that a page holds: Vega-Lite says what is drawn, colours are the page's own variables.

Each mark tells its values in an aria-label. Nothing is loaded when a chart is made or looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import vl_convert

Row = Mapping[str, Any]
Spec = Mapping[str, Any]
Layer = dict[str, Any]

_WIDTH: Final = 380
_HEIGHT: Final = 190
_STEP: Final = 18
_INK, _GRID = "var(--ink-2)", "var(--grid)"
_CONFIG: Final[Spec] = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": _INK, "titleColor": _INK, "gridColor": _GRID, "domainColor": _GRID, "tickColor": _GRID,
        "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "labelLimit": 220,
        "labelFlush": False,
    },
    # drawn without a browser, whose letters may be wider: names in a row need the room
    "legend": {
        "labelColor": _INK, "labelFontSize": 11, "title": None, "orient": "top", "labelLimit": 220,
        "columnPadding": 24,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Axis:
    """A field of the rows; its name is the axis's title, followed by the unit."""

    field: str
    kind: Literal["quantitative", "ordinal"] = "quantitative"
    unit: str | None = None
    form: str = ""
    """d3's format of numbers: `.0%` for shares, `d` for whole numbers."""

    def encoding(self, **axis: Any) -> dict[str, Any]:
        title = f"{self.field} ({self.unit})" if self.unit else self.field
        # the rows' own order, not the alphabet's
        own = {"scale": {"zero": False}} if self.kind == "quantitative" else {"sort": None}
        formed = {"format": self.form} if self.form else {}
        return {"field": self.field, "type": self.kind, "title": title, **own, "axis": formed | axis}


@dataclass(frozen=True)
class Series:
    """A field of the rows that colours the marks; a value keeps its colour, whichever others there are."""

    field: str
    names: Sequence[str]

    def encoding(self, rows: Sequence[Row]) -> dict[str, Any]:
        drawn = {row[self.field] for row in rows}
        colours = {name: f"var(--series-{n})" for n, name in enumerate(self.names, start=1) if name in drawn}
        scale = {"domain": list(colours), "range": list(colours.values())}
        legend = {} if len(colours) > 1 else {"legend": None}
        return {"field": self.field, "type": "nominal", "scale": scale, **legend}


def lines(rows: Sequence[Row], x: Axis, y: Axis, series: Series) -> Spec:
    """A line with points for each name of the series."""
    whole = {"tickCount": min(max(len({row[x.field] for row in rows}) - 1, 1), 10)} if x.form == "d" else {}
    across = x.encoding(grid=False, labelAngle=_angle(x), **whole)
    encoding = {"x": across, "y": y.encoding(tickCount=5), "color": series.encoding(rows)}
    return _spec(rows, [{"mark": {"type": "line", "point": {"size": 30}}, "encoding": encoding}])


def bars(rows: Sequence[Row], x: Axis, y: Axis, series: Series) -> Spec:
    """Bars from zero, stacked in the order of the series' names."""
    place = {name: n for n, name in enumerate(series.names)}
    placed = [{**row, "_place": place[row[series.field]]} for row in rows]
    up = y.encoding(tickCount=5) | {"scale": {"zero": True}, "stack": "zero"}
    encoding = {
        "x": x.encoding(labelAngle=_angle(x), labelOverlap=True),
        "y": up,
        "color": series.encoding(rows),
        "order": {"field": "_place", "type": "quantitative"},
    }
    return _spec(placed, [{"mark": "bar", "encoding": encoding}])


def intervals(rows: Sequence[Row], x: Axis, y: Axis, series: Series) -> Spec:
    """A point for each row at the field of `x`, with a line from its `low` to its `high`; rows below rows."""
    down = y.encoding(grid=True, domain=False, ticks=False) | {"title": None}
    own = {"y": down, "color": series.encoding(rows)}
    if y.field == series.field:
        own["color"] = own["color"] | {"legend": None}
    else:
        own["yOffset"] = {"field": series.field, "sort": list(series.names)}
    across = x.encoding(tickCount=6, grid=False)
    span = {"x": across | {"field": "low"}, "x2": {"field": "high"}}
    point = {"type": "point", "filled": True, "size": 60, "opacity": 1}
    layers: list[Layer] = [
        {"mark": {"type": "rule", "strokeWidth": 2, "aria": False}, "encoding": own | span},
        {"mark": point, "encoding": own | {"x": across}},
    ]
    return _spec(rows, layers) | {"height": {"step": _STEP}}


def svg(spec: Spec, title: str) -> str:
    """The chart as an SVG element that `title` describes to those who cannot see it."""
    drawn: str = vl_convert.vegalite_to_svg({**spec, "description": title}, allowed_base_urls=[])
    return drawn


def _spec(rows: Sequence[Row], layers: list[Layer]) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "config": _CONFIG,
        "padding": {"left": 14, "right": 8, "top": 5, "bottom": 5},
        "width": _WIDTH,
        "height": _HEIGHT,
        "data": {"values": list(rows)},
        "layer": layers,
    }


def _angle(axis: Axis) -> int:
    return -35 if axis.kind == "ordinal" and axis.form != "d" else 0
