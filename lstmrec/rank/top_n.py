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

    A row's n best items lie in the n groups of items with the best maxima, and are no worse than the
    worst of these: so one pass for the maxima leaves little more than n items to sort. Where equal
    maxima leave open which groups these are, the whole row decides.
    """
    n = min(n, scores.shape[1])
    n_groups = scores.shape[1] // _GROUP_SIZE
    if n_groups <= 2 * n or not len(scores):
        return _top_n_of_all(scores, n)
    # column j is of group j % n_groups: the maxima are then taken over whole rows of memory
    grouped = scores[:, : n_groups * _GROUP_SIZE].reshape(len(scores), _GROUP_SIZE, n_groups)
    maxima = grouped.max(axis=1)
    groups = np.argpartition(maxima, n_groups - n, axis=1)[:, n_groups - n :]
    limit = np.take_along_axis(maxima, groups, axis=1).min(axis=1)
    best = _best_of(_candidates(scores, grouped, groups, limit), len(scores), n)
    undecided = (maxima >= limit[:, None]).sum(axis=1) > n
    if undecided.any():
        best[undecided] = _top_n_of_all(scores[undecided], n)
    return best


def target_ranks(scores: Scores, targets: Indices) -> Indices:
    """The rank of each row's target among the items that are not blocked, from 1; ties count against it."""
    own = scores[np.arange(len(scores)), targets][:, None]
    at_least = (scores >= own) & (scores > BLOCKED)
    ranks: Indices = at_least.sum(axis=1)
    return ranks


def _candidates(
    scores: Scores, grouped: Scores, groups: Indices, limit: Scores
) -> tuple[Indices, Indices, Scores]:
    """Row, column and score of the items in a row's `groups`, or in none, that reach its limit."""
    _, size, n_groups = grouped.shape
    values = grouped[np.arange(len(grouped))[:, None], :, groups]  # [rows, groups, size]
    row, group, place = np.nonzero(values >= limit[:, None, None])
    left_over, column = np.nonzero(scores[:, size * n_groups :] >= limit[:, None])
    rows = np.concatenate([row, left_over])
    columns = np.concatenate([groups[row, group] + place * n_groups, column + size * n_groups])
    return rows, columns, scores[rows, columns]


def _best_of(candidates: tuple[Indices, Indices, Scores], n_rows: int, n: int) -> Indices:
    """The first `n` columns of each row, by score and then by index; each row has as many at least."""
    rows, columns, scores = candidates
    order = np.lexsort((columns, -scores, rows))
    first = np.searchsorted(rows[order], np.arange(n_rows))
    best: Indices = columns[order][first[:, None] + np.arange(n)]
    return best


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
