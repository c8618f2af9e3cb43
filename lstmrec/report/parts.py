"""What a page is made of: sections of figures with their numbers, before anything is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstmrec.report.charts import Row, Spec


@dataclass(frozen=True)
class Chart:
    """A picture and the numbers that it shows; the note says units and counts."""

    title: str
    note: str
    rows: Sequence[Row]
    spec: Spec


@dataclass(frozen=True)
class Table:
    """Rows of the same keys, which are its heads."""

    title: str
    note: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Section:
    """One part of the page. Where there is nothing to show yet, the note alone says what is missing."""

    title: str
    note: str
    tiles: Mapping[str, Any]
    """Label -> the one number to see first."""
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()


def nothing(title: str, note: str) -> Section:
    """A section without figures."""
    return Section(title, note, {})


def spread(value: float | None, low: float | None, high: float | None) -> str:
    """The value with its interval, `0.2163 (0.1898 to 0.2418)`; without where there is none."""
    if value is None:
        return "none"
    return f"{value:.4f}" if low is None or high is None else f"{value:.4f} ({low:.4f} to {high:.4f})"
