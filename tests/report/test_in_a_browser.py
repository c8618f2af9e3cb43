"""The page in a real Chromium: no script error, every figure drawn, nothing asked of any network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from lstmrec.config import Config
from lstmrec.lake.store import Lake
from lstmrec.report import contents, page
from lstmrec.report.parts import Section
from tests.browser import Seen, watch
from tests.jobs.shop import LAST_DAY, Shop
from tests.report.planted import EVIL, TUESDAY

pytestmark = pytest.mark.slow

SIGNED = "[aria-roledescription=point][aria-label], [aria-roledescription=bar][aria-label]"


@pytest.fixture(scope="module")
def sections(planted: Lake, config: Config) -> list[Section]:
    return contents.of_run(planted, config, TUESDAY)


@pytest.fixture(scope="module")
def file(sections: list[Section], tmp_path_factory: pytest.TempPathFactory) -> Path:
    rendered = page.render("A planted run", {"run date": TUESDAY}, sections)
    return Path(page.write(rendered, str(tmp_path_factory.mktemp("pages")), "page.html"))


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[tuple[Page, Seen]]:
    """The planted page in a tab that is cut off from all networks."""
    context = browser.new_context(offline=True)
    tab = context.new_page()
    seen = watch(tab)
    tab.goto(file.as_uri())
    yield tab, seen
    context.close()


def test_it_shows_no_error_and_asks_for_nothing_but_itself(opened: tuple[Page, Seen], file: Path) -> None:
    _, seen = opened
    assert seen.errors == []
    assert seen.requests == [file.as_uri()]


def test_every_figure_is_drawn_with_a_mark_for_each_of_its_numbers(
    opened: tuple[Page, Seen], sections: list[Section]
) -> None:
    tab, _ = opened
    charts = [chart for section in sections for chart in section.charts]
    figures = tab.locator("figure").all()
    assert len(figures) == len(charts) == 17
    for figure, chart in zip(figures, charts, strict=True):
        assert figure.locator("figcaption strong").inner_text() == chart.title
        box = figure.locator("svg").bounding_box()
        assert box is not None and box["width"] > 200 and box["height"] > 60, chart.title
        assert figure.locator(SIGNED).count() == len(chart.rows)
        assert figure.locator("tbody tr").count() == len(chart.rows)


def test_titles_with_markup_are_read_and_not_run(opened: tuple[Page, Seen]) -> None:
    tab, _ = opened
    assert tab.title() == "A planted run"  # the script of a title would have changed it
    assert tab.get_by_role("cell", name=EVIL, exact=True).count() == 2  # first in two lists
    assert tab.locator("script, i, td b").count() == 0


def test_it_is_light_or_dark_as_the_reader_has_it_and_light_on_paper(opened: tuple[Page, Seen]) -> None:
    tab, _ = opened
    background = "getComputedStyle(document.body).backgroundColor"
    line = "getComputedStyle(document.querySelector('[aria-roledescription=bar]')).fill"
    found = {}
    for name, scheme, medium in (
        ("light", "light", "screen"), ("dark", "dark", "screen"), ("paper", "dark", "print"),
    ):  # fmt: skip
        tab.emulate_media(color_scheme=scheme, media=medium)  # type: ignore[arg-type]
        found[name] = (tab.evaluate(background), tab.evaluate(line))
    assert found["light"] == ("rgb(252, 252, 251)", "rgb(42, 120, 214)") == found["paper"]
    assert found["dark"] == ("rgb(26, 26, 25)", "rgb(57, 135, 229)")


def test_a_narrow_window_needs_no_scrolling_sideways(opened: tuple[Page, Seen]) -> None:
    tab, _ = opened
    tab.set_viewport_size({"width": 400, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_page_of_a_first_run_of_the_whole_road_is_drawn(browser: Browser, shop: Shop) -> None:
    written = shop.folder / "reports" / f"{LAST_DAY}.html"
    tab = browser.new_context(offline=True).new_page()
    seen = watch(tab)
    tab.goto(written.as_uri())
    assert (seen.errors, seen.requests) == ([], [written.as_uri()])
    heads = tab.locator("h2").all_inner_texts()
    assert heads == [
        "Rows in, and what became of them", "Sessions", "Training", "Quality", "Lists", "Gate",
        "Outcomes", "Sample lists",
    ]  # fmt: skip
    drawn = [figure.locator(SIGNED).count() for figure in tab.locator("figure").all()]
    assert len(drawn) == 12 and all(drawn)
    assert written.stat().st_size < 500_000
