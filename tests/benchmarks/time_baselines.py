"""Baselines that a temporal split asks for: popularity, of ever and of late, and last-item co-visitation."""

from collections.abc import Iterable, Sequence

import numpy as np

from tests.benchmarks.session_neighbours import Scores


class Popularity:
    """Scores each item by how often it is among `events`, whatever came before."""

    def __init__(self, events: Iterable[int], n_items: int) -> None:
        self._counts = np.bincount(list(events), minlength=n_items).astype(np.float64)

    def scores(self, items: Sequence[int]) -> Scores:
        return self._counts.copy()


class CoVisitation:
    """Scores by the last item: how often each came up to `window` places after it."""

    def __init__(self, histories: Sequence[Sequence[int]], n_items: int, window: int) -> None:
        after: list[list[int]] = [[] for _ in range(n_items)]
        for history in histories:
            for place, item in enumerate(history):
                after[item] += history[place + 1 : place + 1 + window]
        self._after = [np.array(items, np.int64) for items in after]

    def scores(self, items: Sequence[int]) -> Scores:
        return np.bincount(self._after[items[-1]], minlength=len(self._after)).astype(np.float64)
