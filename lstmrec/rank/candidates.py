"""Items that may come into the lists of a block of users, in order of preference, with their sources."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lstmrec.rank.slate import NONE
from lstmrec.rank.top_n import Indices

SOURCES: Final = ("model", "promoted", "explore", "segment", "popular")
MODEL, PROMOTED, EXPLORE, SEGMENT, POPULAR = range(len(SOURCES))
REASON_CODES: Final = ("like_your_history", "promoted", "explored", "popular_in_segment", "popular")
"""Of an item of each source."""


@dataclass(frozen=True)
class Candidates:
    """Each [users, candidates], best first; NONE among the items where there is no candidate."""

    items: Indices
    scores: npt.NDArray[np.float64]
    sources: npt.NDArray[np.int8]
    propensity: npt.NDArray[np.float64]

    def then(self, other: "Candidates") -> "Candidates":
        """These, and after them the others."""
        return self._by_column(lambda name: np.hstack([getattr(self, name), getattr(other, name)]))

    def at(self, places: Indices) -> "Candidates":
        """Those at each row's places."""
        return self._by_column(lambda name: np.take_along_axis(getattr(self, name), places, axis=1))

    def of(self, rows: Indices) -> "Candidates":
        """Those of some rows."""
        return self._by_column(lambda name: getattr(self, name)[rows])

    def put(self, rows: Indices, other: "Candidates") -> None:
        """Let `other` stand in these rows."""
        for name in ("items", "scores", "sources", "propensity"):
            getattr(self, name)[rows] = getattr(other, name)

    def _by_column(self, make: Callable[[str], Any]) -> "Candidates":
        return Candidates(make("items"), make("scores"), make("sources"), make("propensity"))


def nothing(rows: int, width: int) -> Candidates:
    """No candidate, in so many places."""
    shape = (rows, width)
    return Candidates(
        np.full(shape, NONE, np.int64), np.zeros(shape), np.full(shape, MODEL, np.int8), np.ones(shape)
    )


def put_in(made: Candidates, added: Candidates, before: list[int]) -> Candidates:
    """The candidates with the added ones among them, each before the place named for it."""
    width = made.items.shape[1]
    order = sorted(
        range(width + len(before)), key=lambda at: (before[at - width] - 0.5 if at >= width else at, at)
    )
    return made.then(added).at(np.tile(np.array(order), (len(made.items), 1)))
