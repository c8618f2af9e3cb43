"""Metrics over users, with their 95 % intervals, from sums that do not grow with the users."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lstmrec.rank.accuracy import METRICS, Ints, Judged, Values

_Z: Final = 1.959963984540054  # 97.5 % of a normal distribution


@dataclass(frozen=True)
class Estimate:
    """The mean of a metric over users, with the ends of its 95 % interval; None where it has no interval."""

    metric: str
    k: int
    value: float
    ci_low: float | None
    ci_high: float | None
    n_users: int


def accuracy(ranks: Ints, n_users: Ints, ks: Sequence[int], resamples: int, seed: int) -> list[Estimate]:
    """Each metric of accuracy at each `k` over users, `n_users[i]` of them with rank `ranks[i]`.

    None without users. A user has one relevant item, at its rank. The interval is the percentile
    bootstrap over users (Efron, 1979). A metric depends on a rank only up to k, so a resample of users
    is a multinomial draw of how many took each rank: as exact as drawing users, and as quick for a
    million of them as for a thousand.
    """
    total = int(n_users.sum())
    if not total:
        return []
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(total, n_users / total, size=resamples) / total
    names, gains = gains_by_rank(ranks, ks)
    low, high = np.quantile(drawn @ gains, [0.025, 0.975], axis=0)
    values = n_users @ gains / total
    return [
        Estimate(name, k, float(value), float(least), float(most), total)
        for (name, k), value, least, most in zip(names, values, low, high, strict=True)
    ]


def gains_by_rank(ranks: Ints, ks: Sequence[int]) -> tuple[list[tuple[str, int]], Values]:
    """(metric, k), and float64 [ranks, metrics x ks]: what each is for a user with that rank."""
    judged = Judged.by_rank(ranks, max(ks))
    names = [(name, k) for name in METRICS for k in ks]
    return names, np.stack([METRICS[name](judged, k) for name, k in names], axis=1)


def mean(metric: str, k: int, n_users: int, total: float, total_of_squares: float) -> Estimate:
    """The mean of values of which the number, the sum and the sum of squares are known.

    The interval is the mean plus and minus 1.96 standard errors, which the bootstrap's comes to where
    users are many: the values of a list's metrics are too many to count one by one.
    """
    value = total / n_users
    error = _Z * np.sqrt(max(0.0, total_of_squares / n_users - value**2) / n_users)
    return Estimate(metric, k, value, float(value - error), float(value + error), n_users)


@dataclass(frozen=True)
class RatioSums:
    """Sums over users of what is counted, of what it is counted over, of their squares and product."""

    counted: float
    over: float
    counted_squared: float
    product: float
    over_squared: float
    n_users: int


def ratio(metric: str, k: int, sums: RatioSums) -> Estimate:
    """The counted of all users over what it is counted over, which must not be 0.

    The interval is that of the ratio estimator (Cochran, Sampling Techniques, 1977, 6.4): users are
    drawn, with all their places, so that a user with many counts once. What is counted is never below 0,
    nor is the interval. None where all users are alike, which says nothing of how far chance goes.
    """
    value = sums.counted / sums.over
    residuals = sums.counted_squared - 2 * value * sums.product + value**2 * sums.over_squared
    if sums.n_users < 2 or residuals <= 1e-9 * sums.counted_squared:
        return Estimate(metric, k, value, None, None, sums.n_users)
    error = _Z * np.sqrt(residuals * sums.n_users / (sums.n_users - 1)) / sums.over
    return Estimate(metric, k, value, max(0.0, float(value - error)), float(value + error), sums.n_users)
