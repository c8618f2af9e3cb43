"""Accuracy: how well lists foresee what their users then took. Each metric is a value a list, from 0 to 1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Lists next to what their users then took: the relevant items.

    `hits`, bool [lists, n]: which places hold a relevant item. `n_relevant`, int64 [lists]: how many
    relevant items there are, in the list or not; at least 1, since a user who took nothing says nothing.
    """

    hits: Bools
    n_relevant: Ints

    @classmethod
    def by_rank(cls, ranks: Ints, n: int) -> "Judged":
        """Lists of `n` places with one relevant item each, which is at `ranks`, from 1, or beyond `n`."""
        return cls(ranks[:, None] == np.arange(1, n + 1), np.ones(len(ranks), np.int64))


def hit_rate(judged: Judged, k: int) -> Values:
    """1 where a relevant item is among the first `k`, else 0."""
    found: Values = judged.hits[:, :k].any(axis=1).astype(np.float64)
    return found


def precision(judged: Judged, k: int) -> Values:
    """Hits among the first `k`, divided by `k` also where the list is shorter.

    Manning, Raghavan, Schutze, Introduction to Information Retrieval, 2008, 8.4.
    """
    shares: Values = judged.hits[:, :k].sum(axis=1) / k
    return shares


def recall(judged: Judged, k: int) -> Values:
    """Hits among the first `k`, divided by the relevant items (the same book, 8.3).

    With one relevant item it is `hit_rate`.
    """
    shares: Values = judged.hits[:, :k].sum(axis=1) / judged.n_relevant
    return shares


def mrr(judged: Judged, k: int) -> Values:
    """1 / place of the first hit, 0 without one among the first `k` (Voorhees, TREC-8, 1999)."""
    hits = judged.hits[:, :k]
    reciprocal: Values = hits.any(axis=1) / (1 + hits.argmax(axis=1))
    return reciprocal


def average_precision(judged: Judged, k: int) -> Values:
    """The precision at each hit among the first `k`, summed and divided by the relevant items (there, 8.4).

    Its mean over users is MAP; with one relevant item it is `mrr`.
    """
    hits = judged.hits[:, :k]
    places = np.arange(1, hits.shape[1] + 1)
    summed: Values = (hits * np.cumsum(hits, axis=1) / places).sum(axis=1)
    return summed / judged.n_relevant


def ndcg(judged: Judged, k: int) -> Values:
    """The sum of 1 / log2(1 + place) over hits, divided by the most that min(relevant, k) hits can sum to.

    Jarvelin, Kekalainen, Cumulated gain-based evaluation, ACM TOIS, 2002. With one relevant item it is
    1 / log2(1 + rank). Some libraries divide by the sum over all `k` places: that is not achievable by
    a user with fewer relevant items.
    """
    gains = 1 / np.log2(1 + np.arange(1, k + 1))
    hits = judged.hits[:, :k]
    ideal = np.cumsum(gains)[np.minimum(judged.n_relevant, k) - 1]
    shares: Values = hits @ gains[: hits.shape[1]] / ideal
    return shares


METRICS: Final[dict[str, Callable[[Judged, int], Values]]] = {
    "hit_rate": hit_rate,
    "precision": precision,
    "recall": recall,
    "mrr": mrr,
    "map": average_precision,
    "ndcg": ndcg,
}
