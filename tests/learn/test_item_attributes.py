from datetime import date
from pathlib import Path

import numpy as np
import pytest

from lstmrec.errors import BadInput
from lstmrec.learn.item_attributes import MOST, numbered, read
from tests.learn.catalogues import item, write_items

DAY = date(2026, 1, 31)
IDS = ["", "sofa", "lamp", "bed"]


def test_attributes_are_categories_and_what_an_item_has_at_the_fields_that_are_named(tmp_path: Path) -> None:
    files = write_items(
        tmp_path,
        item("lamp", "light", brand="Lux", price="9"),
        item("sofa", "seat", "home"),
        item("unheard of", "seat", brand="Lux"),
    )
    got = read(files, DAY, ["categories", "brand"], IDS)
    assert got.names == ("", "brand=Lux", "categories=home", "categories=light", "categories=seat")
    assert got.of_items.tolist() == [[0, 0], [2, 4], [1, 3], [0, 0]]
    assert read(files, DAY, ["brand"], IDS).names == ("", "brand=Lux")


def test_the_catalogue_counts_as_it_was_on_the_day(tmp_path: Path) -> None:
    tomorrow = date(2026, 2, 1)
    files = write_items(
        tmp_path,
        item("sofa", "old", until=DAY),
        item("sofa", "now", since=DAY, until=tomorrow),
        item("sofa", "future", since=tomorrow),
        item("lamp", "now"),
        item("bed", "gone", until=DAY),
    )
    assert read(files, DAY, ["categories"], IDS).names == ("", "categories=now")


def test_more_attributes_than_the_most_leaves_out_those_that_fewest_items_have() -> None:
    many = {f"a{place:02d}" for place in range(MOST)}
    got = numbered({1: {"z", *many}, 2: {"z"}}, 3)
    assert got.of_items.shape == (3, MOST)
    assert [got.names[number] for number in got.of_items[1]] == ["z", *sorted(many)[:-1]]
    assert got.of_items[2].tolist() == [MOST] + [0] * (MOST - 1)  # z is the last name


def test_an_item_that_never_comes_has_no_row_of_its_own_if_it_has_attributes() -> None:
    got = numbered({1: {"a"}, 2: {"a"}}, 4).learnt_from(np.array([9, 5, 0, 0]))
    assert got.has_row.tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("fields", "missing"), [(["categories", "brnad"], "brnad"), (["categories"], "categories")]
)
def test_a_field_that_no_known_item_has_is_told(tmp_path: Path, fields: list[str], missing: str) -> None:
    known = "sofa" if missing == "brnad" else "unheard of"
    files = write_items(tmp_path, item(known, "seat", brand="Lux"))
    with pytest.raises(BadInput, match=f"has the field '{missing}' on 2026-01-31; correct model.item_attr"):
        read(files, DAY, fields, IDS)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (uri,) = write_items(tmp_path, item("sofa", "seat"))
    Path(uri.removeprefix("file://")).write_bytes(b"no Parquet")
    with pytest.raises(BadInput, match=f"^{uri}: no readable file of items"):
        read([uri], DAY, ["categories"], IDS)
