"""All metrics of a block of lists by name, and what they need to know of the items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from lstmrec.rank import beyond_accuracy as beyond
from lstmrec.rank import list_quality as quality
from lstmrec.rank.accuracy import Bools, Ints, Judged, Values
from lstmrec.rank.beyond_accuracy import Lists

PER_LIST: Final = (
    "novelty",
    "serendipity",
    "average_popularity",
    "tail_share",
    "category_diversity",
    "embedding_diversity",
    "user_coverage",
    "short_lists",
    "repeated_items",
)
"""Means over users; those of diversity are about pairs, and so have no value at k = 1."""

OF_ALL_LISTS: Final = {"item_coverage": beyond.item_coverage, "gini": beyond.gini}
"""Of how many lists each item is in: figures of all lists together, without a value for each user."""

_PAIRWISE: Final = ("category_diversity", "embedding_diversity")
_CELLS_AT_ONCE: Final = 2**22  # 16 MB of float32, however many categories there are


@dataclass(frozen=True)
class Catalogue:
    """What is known of each item, by item index; row 0 is no item.

    `n_histories`: how many of `total` training histories hold it. `categories`, int32 [items + 1, most]:
    its categories from 1 on, with 0 after the last. `vectors`, float32 [items + 1, width]: its embedding.
    `tail_share`: of all that histories hold, the part of the tail.
    """

    n_histories: Ints
    total: int
    categories: npt.NDArray[np.int32]
    vectors: npt.NDArray[np.float32]
    tail_share: float

    @cached_property
    def is_tail(self) -> Bools:
        return beyond.tail(self.n_histories, self.tail_share)

    @cached_property
    def novelty(self) -> Values:
        return beyond.inverse_user_frequency(self.n_histories, self.total)

    @cached_property
    def places(self) -> Ints:
        return beyond.popularity_places(self.n_histories)

    @property
    def lists_at_once(self) -> int:
        """How many lists of 20 items fit the memory of a task."""
        width = max(self.vectors.shape[1], int(self.categories.max(initial=0)) + 1)
        return max(1, _CELLS_AT_ONCE // (20 * width))


def names(ks: Sequence[int]) -> list[tuple[str, int]]:
    """(metric, k) of each column of `values`."""
    return [(name, k) for name in PER_LIST for k in ks if k > 1 or name not in _PAIRWISE]


def values(lists: Lists, ranks: Ints, catalogue: Catalogue, ks: Sequence[int]) -> Values:
    """float64 [lists, names(ks)]; NaN where a list has no value. `ranks` are those of the relevant items."""
    hits = Judged.by_rank(ranks, lists.shape[1]).hits
    by_category = beyond.category_distances(lists, catalogue.categories)
    by_vector = beyond.vector_distances(lists, catalogue.vectors)
    popularity = catalogue.n_histories.astype(np.float64)
    in_tail = catalogue.is_tail.astype(np.float64)
    measures: dict[str, Callable[[int], Values]] = {
        "novelty": lambda k: beyond.mean_of_items(lists, catalogue.novelty, k),
        "serendipity": lambda k: beyond.serendipity(lists, hits, catalogue.places, k),
        "average_popularity": lambda k: beyond.mean_of_items(lists, popularity, k),
        "tail_share": lambda k: beyond.mean_of_items(lists, in_tail, k),
        "category_diversity": lambda k: beyond.intra_list_diversity(by_category, k),
        "embedding_diversity": lambda k: beyond.intra_list_diversity(by_vector, k),
        "user_coverage": lambda k: quality.user_coverage(lists, k),
        "short_lists": lambda k: quality.short(lists, k),
        "repeated_items": lambda k: quality.repeated(lists, k),
    }
    return np.stack([measures[name](k) for name, k in names(ks)], axis=1)
