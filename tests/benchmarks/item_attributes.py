"""A file of item attributes (JSON: item id -> list of attribute ids) as the catalogue of a scratch lake."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lstmrec import columns as c
from lstmrec.lake.model_tables import ITEM_INDEX
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import ITEMS

Attributes = Mapping[str, Sequence[str]]

FORM = "one object: item id -> list of attribute ids"


def read(path: Path) -> Attributes:
    """Item id -> its attributes; ids may be texts or whole numbers in the file."""
    try:
        content = json.loads(path.read_text(), object_pairs_hook=lambda pairs: _each_once(path, pairs))
    except OSError as error:
        raise SystemExit(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise SystemExit(f"{path}: is not JSON ({error}); give {FORM}") from None
    if not isinstance(content, dict):
        raise SystemExit(f"{path}: must be {FORM}")
    return {item: _of_item(path, item, own) for item, own in content.items()}


def write(lake: Lake, attributes: Attributes, day: date) -> dict[str, int]:
    """Write `items` with the attributes as categories; how many items of the index have some, and others."""
    rows = [_row(item, own, day) for item, own in attributes.items()]
    lake.replace(ITEMS, lake.spark.createDataFrame(rows, ITEMS.schema))
    known = {r[c.ITEM_ID] for r in lake.read(ITEM_INDEX).select(c.ITEM_ID).collect()}
    having = {item for item, own in attributes.items() if own}
    return {
        "items_with": len(known & having),
        "items_without": len(known - having),
        "unknown_items": len(attributes.keys() - known),
        "attributes": len({name for item in known & having for name in attributes[item]}),
    }


def _row(item: str, own: Sequence[str], day: date) -> dict[str, Any]:
    row = dict.fromkeys(ITEMS.columns)
    return row | {c.ITEM_ID: item, c.CATEGORIES: list(own), c.ATTRIBUTES: {}, c.VALID_FROM: day}


def _of_item(path: Path, item: str, own: object) -> list[str]:
    is_list = isinstance(own, list)
    if not is_list or not all(isinstance(name, str | int) and not isinstance(name, bool) for name in own):
        raise SystemExit(f"{path}: item {item!r}: must have a list of attribute ids, not {own!r}")
    return [str(name) for name in own]


def _each_once(path: Path, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    once: dict[str, Any] = {}
    for item, own in pairs:
        if item in once:
            raise SystemExit(f"{path}: item {item!r} comes twice; put its attributes into one list")
        once[item] = own
    return once
