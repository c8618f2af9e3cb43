"""Quality of the lists themselves, whoever gets them: is there one, is it whole, does it repeat itself."""

import numpy as np

from lstmrec.rank.accuracy import Values
from lstmrec.rank.beyond_accuracy import NO_ITEM, Lists


def user_coverage(lists: Lists, k: int) -> Values:
    """1 for a user with any item among the first `k`, else 0: its mean is the share who get something."""
    covered: Values = (lists[:, :k] != NO_ITEM).any(axis=1).astype(np.float64)
    return covered


def short(lists: Lists, k: int) -> Values:
    """1 for a list with fewer than `k` items, else 0."""
    lacking: Values = ((lists[:, :k] != NO_ITEM).sum(axis=1) < k).astype(np.float64)
    return lacking


def repeated(lists: Lists, k: int) -> Values:
    """1 for a list with an item twice among the first `k`, else 0."""
    ordered = np.sort(lists[:, :k], axis=1)
    again = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != NO_ITEM)
    twice: Values = again.any(axis=1).astype(np.float64)
    return twice
