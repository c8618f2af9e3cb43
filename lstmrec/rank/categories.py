"""Categories of items as numbers, so that they can be compared for many lists at once."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]


def numbered(
    places: npt.NDArray[np.int64], named: Iterable[Iterable[str]], size: int
) -> tuple[Ints, dict[str, int]]:
    """Each item's categories as numbers from 1 on, and the number of each name.

    int32 [size, most that an item has]: the items at `places` have the categories `named`, each once, in
    order of their names, and 0 after them; all others have 0 alone.
    """
    of_items = [sorted({name for name in own if name is not None}) for own in named]
    known = sorted({name for own in of_items for name in own})
    number_of = {name: number for number, name in enumerate(known, start=1)}
    numbers = np.zeros((size, max(map(len, of_items), default=0)), np.int32)
    for place, own in zip(places, of_items, strict=True):
        numbers[place, : len(own)] = [number_of[name] for name in own]
    return numbers, number_of
