"""Sections as one HTML page that holds all it needs: no script, and nothing from the network."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lstmrec.errors import BadInput
from lstmrec.learn.storage import child, open_store
from lstmrec.report import charts
from lstmrec.report.parts import Chart, Section

_TEMPLATE: Final = "page.html.jinja"
_NONE: Final = "-"


def render(title: str, about: Mapping[str, Any], sections: Sequence[Section]) -> str:
    """The page; whatever the lake's rows hold, it is text on the page and never markup."""
    environment = Environment(
        loader=PackageLoader("lstmrec.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"svg": _svg, "shown": shown}
    return environment.get_template(_TEMPLATE).render(title=title, about=about, sections=sections)


def write(page: str, folder: str, name: str) -> str:
    """Put the page at `name` in a folder or URI, in place of an older one, in one step; where it is."""
    store, path = open_store(folder)
    try:
        store.create_dir(path, recursive=True)
        new = child(path, f".{name}.new")
        with store.open_output_stream(new) as out:
            out.write(page.encode())
        store.move(new, child(path, name))
    except OSError as error:
        raise BadInput(f"{folder}: the report cannot be written ({error}); check report.folder") from None
    return child(folder, name)


def shown(value: Any) -> str:
    """A cell as people read it: 1234 is 1,234, four digits of 0.123456, a dash for what there is none of."""
    match value:
        case None:
            return _NONE
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}"
        case date():
            return value.isoformat()
    return str(value)


def _svg(chart: Chart) -> Markup:
    return Markup(charts.svg(chart.spec, f"{chart.title}. {chart.note}"))  # Vega escapes what rows hold
