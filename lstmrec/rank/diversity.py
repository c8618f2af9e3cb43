"""Lists that do not repeat themselves: candidates in a new order, by relevance and what is new in them."""

import numpy as np
import numpy.typing as npt

from lstmrec.rank.slate import NONE, Ints
from lstmrec.rank.top_n import BLOCKED, Indices, Scores


def mmr(scores: Scores, categories: Ints, weight: float, n: int) -> Indices:
    """Places of the candidates in a new order: the first `n` by maximal marginal relevance, then the rest.

    int64, the shape of `scores`, which are best first and BLOCKED where there is no candidate;
    `categories` are those of each candidate, [rows, candidates, most that one has], NONE after them.
    Each next candidate has the highest

        (1 - weight) x relevance - weight x highest similarity to one chosen before

    where relevance is the score, from 0 for a row's lowest to 1 for its highest, and similarity the
    Jaccard index of the categories. Ties go to the candidate that was first. Carbonell and Goldstein,
    "The Use of MMR, Diversity-Based Reranking", SIGIR 1998.
    """
    is_there = scores > BLOCKED
    relevance = _from_0_to_1(scores, is_there)
    rows = np.arange(len(scores))
    order = np.zeros((len(scores), 0), np.int64)
    closest = np.zeros_like(relevance)
    is_left = np.ones_like(is_there)
    for _ in range(min(n, scores.shape[1])):
        value = np.where(is_there, (1 - weight) * relevance - weight * closest, -2.0)
        best = np.argmax(np.where(is_left, value, -3.0), axis=1)
        order = np.column_stack([order, best])
        is_left[rows, best] = False
        closest = np.maximum(closest, _jaccard(categories, categories[rows, best]))
    rest = np.nonzero(is_left)[1].reshape(len(scores), -1)
    return np.hstack([order, rest])


def _from_0_to_1(scores: Scores, is_there: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    high = np.where(is_there, scores, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    low = np.where(is_there, scores, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    spread = np.where(high > low, high - low, 1.0)
    relevance: npt.NDArray[np.float64] = np.where(is_there, scores - low, 0.0) / spread
    return relevance


def _jaccard(all_categories: Ints, of_one: Ints) -> npt.NDArray[np.float64]:
    """Of each candidate and its row's one: categories in common / categories of either; 0 without any."""
    equal = (all_categories[:, :, :, None] == of_one[:, None, None, :]) & (of_one != NONE)[:, None, None, :]
    common = equal.any(axis=3).sum(axis=2)
    either = (all_categories != NONE).sum(axis=2) + (of_one != NONE).sum(axis=1)[:, None] - common
    similarity: npt.NDArray[np.float64] = common / np.maximum(either, 1)
    return similarity
