"""Baselines of session data: item-kNN, and V-SkNN (Ludewig and Jannach, UMUAI 2018).

Both score only items that some neighbour brings; a target without a score is a miss.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tests.benchmarks.click_sessions import Session

Scores = npt.NDArray[np.float64]


class Baseline(Protocol):
    def scores(self, items: Sequence[int]) -> Scores:
        """A score an item, after the clicks `items` of one session."""
        ...


def indexed(sessions: Sequence[Session], index: dict[str, int]) -> list[list[int]]:
    return [[index[item] for item in session.items] for session in sessions]


class ItemNeighbours:
    """Scores by the last item: sessions with both, over the root of the product of each one's sessions.

    Each count is raised by `damping`, so that pairs of rare items do not win by chance.
    """

    def __init__(self, sessions: Sequence[Sequence[int]], n_items: int, damping: float) -> None:
        together: list[dict[int, int]] = [defaultdict(int) for _ in range(n_items)]
        alone = np.zeros(n_items)
        for session in sessions:
            own = sorted(set(session))
            alone[own] += 1
            for item in own:
                for other in own:
                    if other != item:
                        together[item][other] += 1
        self._others = [np.fromiter(of, np.int64, len(of)) for of in together]
        self._both = [np.fromiter(of.values(), np.float64, len(of)) for of in together]
        self._damped = alone + damping

    def scores(self, items: Sequence[int]) -> Scores:
        last = items[-1]
        others = self._others[last]
        scores = np.zeros(len(self._damped))
        scores[others] = self._both[last] / np.sqrt(self._damped[last] * self._damped[others])
        return scores


class SessionNeighbours:
    """V-SkNN: items of the past sessions most like this one, whose later clicks weigh more.

    A click at place p of n weighs p / n. A past session's likeness is the sum of the weights of the
    items that it shares; the item's score is the sum over neighbours of likeness, times the weight of
    the latest click that the neighbour shares, times the item's idf. Only the `recent` latest sessions
    with an item of this one are compared; `sessions` are in order of time.
    """

    def __init__(self, sessions: Sequence[Sequence[int]], n_items: int, neighbours: int, recent: int) -> None:
        self._sets = [np.unique(session) for session in sessions]
        self._holders: list[list[int]] = [[] for _ in range(n_items)]
        for number, own in enumerate(self._sets):
            for item in own:
                self._holders[item].append(number)
        held = np.array([max(1, len(holders)) for holders in self._holders])
        self._idf = np.log(len(sessions) / held)
        self._n_items, self._neighbours, self._recent = n_items, neighbours, recent

    def scores(self, items: Sequence[int]) -> Scores:
        weight = {item: place / len(items) for place, item in enumerate(items, start=1)}
        holding = {number for item in weight for number in self._holders[item][-self._recent :]}
        compared = sorted(holding)[-self._recent :]
        likeness = [sum(weight.get(item, 0.0) for item in self._sets[number].tolist()) for number in compared]
        nearest = np.argsort(-np.array(likeness), kind="stable")[: self._neighbours]
        scores = np.zeros(self._n_items)
        for place in nearest:
            own = self._sets[compared[place]]
            latest = max(weight.get(item, 0.0) for item in own.tolist())
            scores[own] += likeness[place] * latest
        scores *= self._idf
        return scores


def ranks(baseline: Baseline, sessions: Sequence[Sequence[int]]) -> list[int]:
    """The rank of each click but a session's first, by what came before it."""
    return [
        rank(baseline.scores(session[:shown]), session[shown])
        for session in sessions
        for shown in range(1, len(session))
    ]


def rank(scores: Scores, target: int) -> int:
    """The rank of `target`; ties as the official evaluation.

    It counts the items that score higher, so equals are not against the target. One without a
    score comes after all items.
    """
    own = scores[target]
    return int((scores > own).sum()) + 1 if own > 0 else len(scores) + 1
