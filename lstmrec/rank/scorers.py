"""What can score every item for a block of histories: the models' common face, and the simple ones."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class HistoryBlock:
    """Histories side by side: int32 arrays [rows, longest], padded on the right; none is empty."""

    items: Ints
    types: Ints
    gaps: Ints
    length: Ints

    def take(self, chosen: npt.NDArray[np.bool_]) -> "HistoryBlock":
        return HistoryBlock(self.items[chosen], self.types[chosen], self.gaps[chosen], self.length[chosen])

    @property
    def last_items(self) -> Ints:
        last: Ints = self.items[np.arange(len(self.items)), self.length - 1]
        return last


class Scorer(Protocol):
    """Scores for a block: float32 [rows, n_items + 1], by item index; higher is better."""

    def scores(self, block: HistoryBlock) -> Scores: ...


@dataclass(frozen=True)
class Popularity:
    """The same score for everybody: how many histories hold the item, float32 [n_items + 1]."""

    counts: Scores

    def scores(self, block: HistoryBlock) -> Scores:
        return np.tile(self.counts, (len(block.items), 1))


@dataclass(frozen=True)
class LastItemNeighbours:
    """The weights of the last item's neighbours, in sparse rows; 0 for all other items.

    The neighbours of item i are neighbours[starts[i]:starts[i + 1]], and so their weights.
    """

    starts: npt.NDArray[np.int64]
    neighbours: Ints
    weights: Scores
    n_items: int

    def scores(self, block: HistoryBlock) -> Scores:
        scores = np.zeros((len(block.items), self.n_items + 1), np.float32)
        for row, item in enumerate(block.last_items):
            own = slice(self.starts[item], self.starts[item + 1])
            scores[row, self.neighbours[own]] = self.weights[own]
        return scores
