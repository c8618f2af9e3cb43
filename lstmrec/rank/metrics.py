"""Accuracy of lists with one right answer a user, from the rank that each user's target took."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ranks = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """The mean of a metric over users, with the ends of its 95 % bootstrap interval."""

    metric: str
    k: int
    value: float
    ci_low: float
    ci_high: float
    n_users: int


def hit_rate(ranks: Ranks, k: int) -> Values:
    """1 where the target is among the first `k`, else 0; with one target a user this is Recall@k."""
    return (ranks <= k).astype(np.float64)


def mrr(ranks: Ranks, k: int) -> Values:
    """Reciprocal rank, 0 beyond `k` (Voorhees, TREC-8, 1999)."""
    return hit_rate(ranks, k) / ranks


def ndcg(ranks: Ranks, k: int) -> Values:
    """1 / log2(1 + rank), 0 beyond `k`; the ideal gain of one target is 1 (Jarvelin, Kekalainen, 2002)."""
    gains: Values = hit_rate(ranks, k) / np.log2(ranks + 1)
    return gains


METRICS: Final[dict[str, Callable[[Ranks, int], Values]]] = {"hit_rate": hit_rate, "mrr": mrr, "ndcg": ndcg}


def estimate(ranks: Ranks, n_users: Ranks, ks: Sequence[int], resamples: int, seed: int) -> list[Estimate]:
    """Each metric at each `k` over users of whom `n_users[i]` have rank `ranks[i]`; none without users.

    The interval is the percentile bootstrap over users (Efron, 1979). A metric depends on a rank
    only up to k, so a resample of users is a multinomial draw of how many took each rank: as exact
    as drawing users, and as quick for a million of them as for a thousand.
    """
    total = int(n_users.sum())
    if not total:
        return []
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(total, n_users / total, size=resamples) / total
    estimates = []
    for name, metric in METRICS.items():
        for k in ks:
            gains = metric(ranks, k)
            low, high = np.quantile(drawn @ gains, [0.025, 0.975])
            estimates.append(
                Estimate(name, k, float(n_users @ gains / total), float(low), float(high), total)
            )
    return estimates
