"""A list of n items a user, out of candidates in order of preference: distinct, and few of a category."""

import numpy as np
import numpy.typing as npt

from lstmrec.rank.top_n import Indices

NONE = 0
"""As a candidate: no item. As a category: none."""

Ints = npt.NDArray[np.int32]


def fill(candidates: Indices, categories: Ints, n: int, max_per_category: int | None) -> Indices:
    """Places of the first `n` candidates of each row that fit, -1 where there are no more.

    int64 [rows, n]. A candidate fits unless it is NONE, was taken before, or is of a category of which
    the row holds `max_per_category` items already. `categories` are those of each item, [items, most
    that an item has], each once and NONE after them; an item without a category always fits.
    Candidates 7 7 5 3 with one category of 7 and 5, n = 2 and at most 1 of it: places 0 and 3.
    """
    rows = np.arange(len(candidates))
    taken = np.full((len(rows), n), -1, np.int64)
    items = np.full((len(rows), n), NONE, np.int64)
    size = np.zeros(len(rows), np.int64)
    counts = np.zeros((len(rows), int(categories.max(initial=NONE)) + 1), np.int32)
    for place in range(candidates.shape[1]):
        item = candidates[:, place]
        own = categories[item]
        fits = (size < n) & (item != NONE) & ~(items == item[:, None]).any(axis=1)
        if max_per_category is not None:
            is_full = (counts[rows[:, None], own] >= max_per_category) & (own != NONE)
            fits &= ~is_full.any(axis=1)
        chosen = np.flatnonzero(fits)
        taken[chosen, size[chosen]] = place
        items[chosen, size[chosen]] = item[chosen]
        counts[chosen[:, None], own[chosen]] += 1  # an item's categories differ, so no cell comes twice
        size[chosen] += 1
        if (size == n).all():
            break
    return taken
