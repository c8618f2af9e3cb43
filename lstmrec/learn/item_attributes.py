"""Attributes of items, from pinned files of the catalogue, as numbers of rows that a model learns."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.lib import ArrowException

from lstmrec.columns import ATTRIBUTES, CATEGORIES, ITEM_ID, VALID_FROM, VALID_TO
from lstmrec.errors import BadInput
from lstmrec.learn.artifact import Ints
from lstmrec.learn.storage import open_store

NONE: Final = 0
"""The number of no attribute: an item's numbers are padded with it."""

MOST: Final = 16
"""So many attributes an item at most: those that most items have, since a rare one learns least."""


@dataclass(frozen=True)
class ItemAttributes:
    """Which attributes each item has."""

    names: tuple[str, ...]
    """By number, like categories=Drama; "" at NONE."""
    of_items: Ints
    """[n_items + 1, most that an item has], by item index: its attributes' numbers, then NONE."""
    has_row: npt.NDArray[np.bool_]
    """[n_items + 1]: whether an item has a row of its own besides."""

    def learnt_from(self, counts: npt.NDArray[np.int64]) -> "ItemAttributes":
        """The same for items that come so often, by item index, in what a model learns from.

        One that never comes would learn nothing for its row but that it is never right: it has none, if it
        has attributes.
        """
        return replace(self, has_row=(counts > 0) | (self.of_items == NONE).all(axis=1))


def read(files: Sequence[str], day: date, fields: Sequence[str], item_ids: Sequence[str]) -> ItemAttributes:
    """What the Parquet files of the pinned `items` tell of these items as of `day`.

    An attribute is a field with a value: each of an item's categories, and what it has at any other of
    `fields`. `item_ids` are by item index, "" at PAD; items of the catalogue beyond them are passed over.

    Raises
    ------
    BadInput
        If a file cannot be read, or no item has one of the fields.
    """
    place = {item: index for index, item in enumerate(item_ids) if item}
    named: dict[int, set[tuple[str, str]]] = {}
    for item, field, value in _values(files, day, fields):
        if item in place:
            named.setdefault(place[item], set()).add((field, value))
    held = {field for own in named.values() for field, _ in own}
    if missing := [field for field in fields if field not in held]:
        raise BadInput(
            f"items: no item that is known to the model has the field {missing[0]!r} on {day}; correct "
            f"model.item_attributes or run ingest_catalogue, or set model.use_item_attributes to false"
        )
    texts = {index: {f"{field}={value}" for field, value in own} for index, own in named.items()}
    return numbered(texts, len(item_ids))


def numbered(texts: Mapping[int, set[str]], size: int) -> ItemAttributes:
    """Each item's attributes by number: from 1 on in the order of their names, at most MOST an item.

    `texts` are the attributes by item index. Of {1: {b}, 2: {a, b}} and size 3 the names are "", a, b, and
    the items have (NONE, NONE), (2, NONE), (2, 1): more items have b.
    """
    n_items = Counter(name for own in texts.values() for name in own)
    kept = {
        index: sorted(own, key=lambda name: (-n_items[name], name))[:MOST] for index, own in texts.items()
    }
    names = ("", *sorted({name for own in kept.values() for name in own}))
    number = {name: of_name for of_name, name in enumerate(names)}
    of_items = np.full((size, max(map(len, kept.values()), default=1)), NONE, np.int32)
    for index, own in kept.items():
        of_items[index, : len(own)] = [number[name] for name in own]
    return ItemAttributes(names, of_items, np.ones(size, np.bool_))


def of_nothing(names: Sequence[str], size: int) -> ItemAttributes:
    """A table of these attributes that no item has: for a model whose weights alone are wanted."""
    return ItemAttributes(tuple(names), np.full((size, 1), NONE, np.int32), np.ones(size, np.bool_))


def _values(files: Sequence[str], day: date, fields: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(item id, field, value) as of `day`."""
    others = [field for field in fields if field != CATEGORIES]
    for uri in files:
        rows = _valid_rows(uri, day)
        ids = rows[ITEM_ID].to_pylist()
        if CATEGORIES in fields:
            for item, categories in zip(ids, rows[CATEGORIES].to_pylist(), strict=True):
                yield from ((item, CATEGORIES, value) for value in categories or ())
        if others:
            for item, pairs in zip(ids, rows[ATTRIBUTES].to_pylist(), strict=True):
                yield from ((item, field, value) for field, value in pairs if field in others)


def _valid_rows(uri: str, day: date) -> Any:
    store, path = open_store(uri)
    try:
        rows = pq.ParquetFile(store.open_input_file(path)).read(
            [ITEM_ID, CATEGORIES, ATTRIBUTES, VALID_FROM, VALID_TO]
        )
    except (OSError, ArrowException) as error:
        raise BadInput(f"{uri}: no readable file of items ({' '.join(str(error).split())})") from None
    today = pa.scalar(day, pa.date32())
    has_ended = pc.fill_null(pc.less_equal(rows[VALID_TO], today), False)
    return rows.filter(pc.and_not(pc.less_equal(rows[VALID_FROM], today), has_ended))
