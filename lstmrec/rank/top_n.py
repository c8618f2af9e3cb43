"""The best items of a block of users, and the rank that a given item takes among all."""

from typing import Final

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Cells = tuple[Indices, Indices]
"""Rows and columns of cells of a block of scores."""

BLOCKED: Final = -np.inf

_GROUP_SIZE: Final = 32
"""Items that are looked at together; 16 to 64 were as fast at 12,101 and at 100,000 items."""


def block(scores: Scores, cells: Cells) -> None:
    """Take the items in `cells` out of the ranking, in place."""
    scores[cells] = BLOCKED


def top_n(scores: Scores, n: int) -> Indices:
    """Indices of the `n` best items of each row, best first; equal scores go to the lower index.

    int64 [rows, min(n, items)]. Blocked items take the last places, where a row has fewer than `n`
    others; their score tells. Scores of (3, 5, 5) with n = 2 give (1, 2).

    A row's n best items lie in the n groups of items with the best maxima, so one pass for the maxima
    leaves 32 n items to choose from. Where equal scores leave the choice open, the whole row decides.
    """
    n = min(n, scores.shape[1])
    n_groups = scores.shape[1] // _GROUP_SIZE
    if n_groups <= 2 * n:
        return _top_n_of_all(scores, n)
    # column j is of group j % n_groups: the maxima are then taken over whole rows of memory
    grouped = scores[:, : n_groups * _GROUP_SIZE].reshape(len(scores), _GROUP_SIZE, n_groups)
    maxima = grouped.max(axis=1)
    groups, is_open = _best(maxima, n)
    members = groups[:, :, None] + np.arange(_GROUP_SIZE) * n_groups
    rest = np.arange(n_groups * _GROUP_SIZE, scores.shape[1])  # of no group
    candidates = np.hstack([members.reshape(len(scores), -1), np.tile(rest, (len(scores), 1))])
    chosen, is_open_within = _best(np.take_along_axis(scores, candidates, axis=1), n)
    best = _best_first(scores, np.take_along_axis(candidates, chosen, axis=1))
    undecided = is_open | is_open_within
    if undecided.any():
        best[undecided] = _top_n_of_all(scores[undecided], n)
    return best


def target_ranks(scores: Scores, targets: Indices) -> Indices:
    """The rank of each row's target among the items that are not blocked, from 1; ties count against it."""
    own = scores[np.arange(len(scores)), targets][:, None]
    at_least = (scores >= own) & (scores > BLOCKED)
    ranks: Indices = at_least.sum(axis=1)
    return ranks


def _best(values: Scores, n: int) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Columns of each row's n highest values, in no order, and whether others equal the lowest of them."""
    columns = np.argpartition(values, values.shape[1] - n, axis=1)[:, values.shape[1] - n :]
    lowest = np.take_along_axis(values, columns, axis=1).min(axis=1, keepdims=True)
    return columns, (values >= lowest).sum(axis=1) > n


def _top_n_of_all(scores: Scores, n: int) -> Indices:
    # The n-th best score splits the row; argpartition alone would settle ties at the split by chance
    limit = -np.partition(-scores, n - 1, axis=1)[:, n - 1 : n]
    above = scores > limit
    ties = scores == limit
    room = n - above.sum(axis=1, keepdims=True)
    chosen = above | (ties & (np.cumsum(ties, axis=1) <= room))
    return _best_first(scores, np.nonzero(chosen)[1].reshape(len(scores), n))


def _best_first(scores: Scores, indices: Indices) -> Indices:
    indices = np.sort(indices, axis=1)
    best_first = np.argsort(-np.take_along_axis(scores, indices, axis=1), axis=1, kind="stable")
    return np.take_along_axis(indices, best_first, axis=1)
