"""Every value that a chart is given is drawn, and told to those who cannot see it."""

import re
from xml.etree import ElementTree

import pytest

from lstmrec.report.charts import Axis, Series, Spec, bars, intervals, lines, svg

EVIL = "</text><script>alert(1)</script>"
MODELS = Series("model", ("lstm", "popularity"))


def labels(spec: Spec, mark: str) -> list[str]:
    """What each mark of a kind is called, in the order of drawing."""
    drawn = ElementTree.fromstring(svg(spec, "a title"))
    return [
        element.attrib["aria-label"]
        for element in drawn.iter()
        if element.get("aria-roledescription") == mark and "aria-label" in element.attrib
    ]


def test_a_line_has_a_point_for_each_value() -> None:
    rows = [{"epoch": n, "loss": 3 - n / 2, "model": "lstm"} for n in (1, 2, 3)]
    spec = lines(rows, Axis("epoch", form="d"), Axis("loss", unit="nats"), MODELS)
    assert labels(spec, "point") == [
        f"epoch: {n}; loss (nats): {3 - n / 2:.3g}; model: lstm" for n in (1, 2, 3)
    ]


@pytest.mark.parametrize("epochs", [(1,), (1, 2, 3), tuple(range(1, 15))], ids=len)
def test_each_of_a_few_whole_numbers_has_one_tick(epochs: tuple[int, ...]) -> None:
    rows = [{"epoch": n, "share": n / 100, "model": "lstm"} for n in epochs]
    drawn = svg(lines(rows, Axis("epoch", form="d"), Axis("share", form=".0%"), MODELS), "a title")
    assert re.findall(r">(\d+)</text>", drawn) == [str(n) for n in epochs]


def test_bars_are_stacked_in_the_order_of_the_names_and_keep_the_order_of_the_rows() -> None:
    rows = [
        {"band": band, "n": n, "model": model}
        for band in ("10 and more", "1 to 9")
        for n, model in ((2, "popularity"), (5, "lstm"))
    ]
    spec = bars(rows, Axis("band", "ordinal"), Axis("n"), MODELS)
    assert sorted(labels(spec, "bar")) == sorted(
        f"band: {row['band']}; n: {row['n']}; model: {row['model']}" for row in rows
    )
    drawn = svg(spec, "a title")
    assert drawn.index(">10 and more<") < drawn.index(">1 to 9<")


def test_an_interval_is_a_point_with_a_line_from_its_low_to_its_high() -> None:
    rows = [
        {"model": "lstm", "value": 0.5, "low": 0.25, "high": 1.0},
        {"model": "popularity", "value": 0.0, "low": 0.0, "high": 0.5},
    ]
    spec = intervals(rows, Axis("value"), Axis("model", "ordinal"), MODELS)
    assert labels(spec, "point") == ["value: 0.5; model: lstm", "value: 0; model: popularity"]
    spans = re.findall(
        r'<line transform="translate\(([\d.]+),[\d.]+\)" x2="(-?[\d.]+)" y2="0" stroke="var\(--s',
        svg(spec, ""),
    )
    (low, length), (_, shorter) = ((float(start), abs(float(end))) for start, end in spans)
    assert length / shorter == pytest.approx(0.75 / 0.5)
    assert low > 0


def test_a_name_keeps_its_colour_whatever_other_names_are_drawn() -> None:
    both = [{"day": "1", "n": 1, "model": model} for model in ("lstm", "popularity")]
    for rows in (both, both[1:]):
        drawn = svg(bars(rows, Axis("day", "ordinal"), Axis("n"), MODELS), "")
        told = re.findall(r'aria-label="day: 1; n: 1; model: (\w+)"[^>]*fill="([^"]+)"', drawn)
        assert ("popularity", "var(--series-2)") in told


def test_a_name_with_markup_in_it_is_text() -> None:
    rows = [{"slice": EVIL, "value": 0.5, "low": 0.4, "high": 0.6, "model": "lstm"}]
    drawn = svg(intervals(rows, Axis("value"), Axis("slice", "ordinal"), MODELS), EVIL)
    tree = ElementTree.fromstring(drawn)
    assert not [element for element in tree.iter() if element.tag.endswith("script")]
    assert EVIL in {element.text for element in tree.iter() if element.tag.endswith("text")}
