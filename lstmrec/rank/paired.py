"""Is one model better than another on the same users, or was it luck: a paired test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstmrec.rank.accuracy import Ints
from lstmrec.rank.estimates import gains_by_rank


@dataclass(frozen=True)
class Comparison:
    """The mean over users of one model's metric less the other's, its 95 % interval, and the chance of it.

    `p_value`: how often a mean difference at least as large, either way, comes about if for each user
    it were a toss which model is which.
    """

    metric: str
    k: int
    difference: float
    ci_low: float
    ci_high: float
    p_value: float
    n_users: int


def compare(
    ours: Ints, theirs: Ints, n_users: Ints, ks: Sequence[int], resamples: int, seed: int
) -> list[Comparison]:
    """Each metric of accuracy at each `k`: one model's mean over users less the other's; none without users.

    `n_users[i]` users have their relevant item at rank `ours[i]` of one model, `theirs[i]` of the other.

    The test is Fisher's randomization test, and the interval the paired percentile bootstrap: both are
    about the mean difference, which is what is reported. Wilcoxon's signed-rank test is not: it leaves
    out the users for whom both models are alike, here most, and looks at the order of the differences,
    not at their size (Smucker, Allan, Carterette, A comparison of statistical significance tests for
    information retrieval evaluation, CIKM, 2007, advise against it). Users with the same two ranks are
    exchangeable, so both draw how many of them, not which.
    """
    total = int(n_users.sum())
    if not total:
        return []
    names, gains = gains_by_rank(ours, ks)
    differences = gains - gains_by_rank(theirs, ks)[1]
    seen = n_users @ differences / total

    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(total, n_users / total, size=resamples) / total
    low, high = np.quantile(drawn @ differences, [0.025, 0.975], axis=0)

    swapped = rng.binomial(n_users, 0.5, size=(resamples, len(n_users)))
    by_chance = (n_users - 2 * swapped) @ differences / total
    as_large = np.abs(by_chance) >= np.abs(seen) - 1e-12  # equal sums may differ in their last digit
    p_values = (1 + as_large.sum(axis=0)) / (1 + resamples)
    return [
        Comparison(name, k, float(d), float(least), float(most), float(p), total)
        for (name, k), d, least, most, p in zip(names, seen, low, high, p_values, strict=True)
    ]
