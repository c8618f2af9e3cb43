"""What else makes lists good, or dull: diversity, novelty, serendipity, popularity, and reach.

A list is a row of item indices, best first; NO_ITEM fills the places after its last item. Metrics of one
list give NaN for a list that has no value, such as one without an item: it counts for nothing.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from lstmrec.rank.accuracy import Bools, Ints, Values

Lists = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float64]
"""float64 [lists, n, n]: how far the items of two places of a list are apart; NaN where nothing says so."""

NO_ITEM: Final = 0
"""Item index of a place without an item; row 0 of what is known by item index is about no item."""


def mean_of_items(lists: Lists, by_item: Values, k: int) -> Values:
    """The mean of a figure of each item over the items among the first `k`."""
    first = lists[:, :k]
    return _share((by_item[first] * (first != NO_ITEM)).sum(axis=1), (first != NO_ITEM).sum(axis=1))


def inverse_user_frequency(n_histories: Ints, total: int) -> Values:
    """-log2(share of the `total` histories that hold the item), by item: its mean over a list is novelty.

    Zhou et al., Solving the apparent diversity-accuracy dilemma, PNAS, 2010. An item that no history
    holds is as novel as one that a single one holds.
    """
    novelty: Values = -np.log2(np.maximum(n_histories, 1) / total)
    return novelty


def popularity_places(n_histories: Ints) -> Ints:
    """1 for items that the most histories hold, 2 for the next fewer, and so on; equal counts share a place.

    Items that no history holds come after all others, at the number of items + 1.
    """
    counts = np.unique(n_histories[n_histories > 0])
    places: Ints = len(counts) - np.searchsorted(counts, n_histories)
    places[n_histories == 0] = len(n_histories)
    return places


def tail(n_histories: Ints, share: float) -> Bools:
    """Which items are in the long tail: the least popular, with `share` of all that histories hold.

    The head are the most popular items that together hold the rest; the one that crosses the border is in
    the head, and of equal ones the lower index. Abdollahpouri et al., Managing popularity bias, FLAIRS, 2019.
    """
    order = np.lexsort((np.arange(len(n_histories)), -n_histories))
    before = np.cumsum(n_histories[order]) - n_histories[order]
    is_tail = np.empty(len(n_histories), np.bool_)
    is_tail[order] = (before >= (1 - share) * n_histories.sum()) | (n_histories[order] == 0)
    return is_tail


def serendipity(lists: Lists, hits: Bools, places: Ints, k: int) -> Values:
    """How much better than by popularity the relevant items were placed, as a mean over the first `k` items.

    An item at place r, that is at place p of the popular ones, adds max(p - r, 0) / number of items where
    it is a hit, else 0. After Ge, Delgado-Battenfeld, Jannach, Beyond accuracy, RecSys, 2010, with the
    places for probabilities, as RecTools has it.
    """
    first = lists[:, :k]
    n_items = len(places) - 1
    gains = np.maximum(places[first] - np.arange(1, first.shape[1] + 1), 0) / n_items
    there = first != NO_ITEM
    return _share((gains * (hits[:, :k] & there)).sum(axis=1), there.sum(axis=1))


def category_distances(lists: Lists, categories: npt.NDArray[np.int32]) -> Distances:
    """1 - common categories / all categories of the two items (Jaccard, 1901); NaN where one has none.

    `categories`, [items + 1, most], are the distinct categories of each item, from 1, with 0 after the last.
    """
    n_categories = int(categories.max(initial=0))
    rows = np.arange(lists.size).reshape(lists.shape)[:, :, None]
    has = np.zeros((lists.size, n_categories + 1), np.float32)
    has[rows, categories[lists]] = 1
    has[:, 0] = 0  # stands for "no further category"
    has[(lists == NO_ITEM).ravel()] = 0
    has = has.reshape(*lists.shape, -1)
    common = (has @ has.transpose(0, 2, 1)).astype(np.float64)
    sizes = has.sum(axis=2, dtype=np.float64)
    known = (sizes[:, :, None] > 0) & (sizes[:, None, :] > 0)
    either = sizes[:, :, None] + sizes[:, None, :] - common
    return np.where(known, 1 - common / np.where(known, either, 1), np.nan)


def vector_distances(lists: Lists, vectors: npt.NDArray[np.float32]) -> Distances:
    """1 - the cosine of the two items' vectors, from 0 to 2; NaN where one of them is zero.

    `vectors`, float32 [items + 1, width], are any embedding of the items.
    """
    own = vectors[lists].astype(np.float64)
    lengths = np.linalg.norm(own, axis=2, keepdims=True)
    known = (lengths > 0) & (lists != NO_ITEM)[:, :, None]
    unit = own / np.where(known, lengths, 1)
    both = known & known.transpose(0, 2, 1)
    return np.where(both, 1 - unit @ unit.transpose(0, 2, 1), np.nan)


def intra_list_diversity(distances: Distances, k: int) -> Values:
    """The mean distance over the pairs of the first `k` items; NaN where no pair has a distance.

    Ziegler et al., Improving recommendation lists through topic diversification, WWW, 2005.
    """
    first, second = np.triu_indices(min(k, distances.shape[1]), 1)
    pairs = distances[:, first, second]
    known = ~np.isnan(pairs)
    return _share(np.where(known, pairs, 0).sum(axis=1), known.sum(axis=1))


def item_coverage(n_listed: Ints) -> float:
    """The share of items that are in some list, by how many lists each is in (Ge et al., RecSys, 2010)."""
    return float((n_listed > 0).mean())


def gini(n_listed: Ints) -> float:
    """0 where all items are in as many lists, 1 - 1 / items where one item takes all places.

    sum((2 i - items - 1) x(i)) / (items sum(x)), with x(i) in rising order and i from 1 (Gini, 1912; for
    lists: Fleder, Hosanagar, Blockbuster culture's next rise or fall, Management Science, 2009).
    """
    rising = np.sort(n_listed)
    weights = 2 * np.arange(1, len(rising) + 1) - len(rising) - 1
    return float(weights @ rising / (len(rising) * rising.sum()))


def _share(part: Values, whole: Ints) -> Values:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
