"""The best items of a block of users, and the rank that a given item takes among all."""

from typing import Final

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Cells = tuple[Indices, Indices]
"""Rows and columns of cells of a block of scores."""

BLOCKED: Final = -np.inf


def block(scores: Scores, cells: Cells) -> None:
    """Take the items in `cells` out of the ranking, in place."""
    scores[cells] = BLOCKED


def top_n(scores: Scores, n: int) -> Indices:
    """Indices of the `n` best items of each row, best first; equal scores go to the lower index.

    int64 [rows, min(n, items)]. Blocked items take the last places, where a row has fewer than `n`
    others; their score tells. Scores of (3, 5, 5) with n = 2 give (1, 2).
    """
    n = min(n, scores.shape[1])
    # The n-th best score splits the row; argpartition alone would settle ties at the split by chance
    limit = -np.partition(-scores, n - 1, axis=1)[:, n - 1 : n]
    above = scores > limit
    ties = scores == limit
    room = n - above.sum(axis=1, keepdims=True)
    chosen = above | (ties & (np.cumsum(ties, axis=1) <= room))
    indices = np.nonzero(chosen)[1].reshape(len(scores), n)
    best_first = np.argsort(-np.take_along_axis(scores, indices, axis=1), axis=1, kind="stable")
    return np.take_along_axis(indices, best_first, axis=1)


def target_ranks(scores: Scores, targets: Indices) -> Indices:
    """The rank of each row's target among the items that are not blocked, from 1; ties count against it."""
    own = scores[np.arange(len(scores)), targets][:, None]
    at_least = (scores >= own) & (scores > BLOCKED)
    ranks: Indices = at_least.sum(axis=1)
    return ranks
