"""The page is whole, holds text as text, and takes the place of the one before in one step."""

from datetime import date
from pathlib import Path

import pytest

from lstmrec.errors import BadInput
from lstmrec.report.page import render, shown, write
from lstmrec.report.parts import Section, Table, nothing


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"), (0.123456, "0.1235"), (1234.5, "1,234"), (0.0, "0"), (None, "-"),
        (True, "yes"),        (date(2026, 1, 27), "2026-01-27"), ("as it is", "as it is"),
    ],
)  # fmt: skip
def test_a_cell_is_shown_as_people_read_it(value: object, text: str) -> None:
    assert shown(value) == text


def test_markup_in_a_title_a_head_a_cell_or_a_tile_is_text() -> None:
    evil = "<img src=x onerror=alert(1)>"
    table = Table(evil, evil, [{evil: evil}])
    page = render(evil, {evil: evil}, [Section(evil, evil, {evil: evil}, (), [table])])
    assert "<img" not in page
    # the page's title twice; a section's twice and its note; about and tiles, two each; four of the table
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 2 + 3 + 4 + 4


def test_a_page_without_any_history_is_a_page() -> None:
    page = render("A first run", {}, [nothing("Quality", "Nothing was evaluated yet.")])
    assert "Nothing was evaluated yet." in page
    assert "<svg" not in page


def test_a_page_takes_the_place_of_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    for text in ("the first", "the second"):
        assert write(text, str(folder), "day.html") == f"{folder}/day.html"
        assert (folder / "day.html").read_text() == text
    assert [path.name for path in folder.iterdir()] == ["day.html"]


def test_a_folder_that_cannot_be_written_is_named_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(BadInput, match=r"file: the report cannot be written .* check report.folder"):
        write("page", str(tmp_path / "file"), "day.html")
