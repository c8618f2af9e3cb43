"""What lists that nobody was shown would have earned, from places of which it is known how they were drawn.

A logged place with item a was filled by chance, with probability p(a) that the list got the item. Another
list, if it holds a, is credited with the click times 1 / p(a): items that were unlikely to be shown stand
for the times they were not. That is inverse propensity scoring (Horvitz, Thompson, A generalization of
sampling without replacement from a finite universe, 1952) with the item's own weight, as for clicks that
depend on the item and not on its place or neighbours (Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay,
Wen, Offline evaluation of ranking policies with click models, KDD, 2018).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from lstmrec.rank.accuracy import Ints, Values
from lstmrec.rank.estimates import Estimate

IPS: Final = "ips"
SNIPS: Final = "snips"

_DRAWN_AT_ONCE: Final = 2**22  # counts held at a time


@dataclass(frozen=True)
class Logged:
    """Groups of `n_users` users each who are alike in all three.

    `weights` is the sum, over the places shown to a user whose item the other list holds, of 1 / p;
    `clicks` the same over those clicked; `places` the length of the other list.
    """

    clicks: Values
    weights: Values
    places: Values
    n_users: Ints


def click_through(logged: Logged, metric: str, resamples: int, seed: int) -> list[Estimate]:
    """Clicks a place of the other lists, by IPS and by SNIPS, in `metric`_ips and `metric`_snips.

    None where no place that was shown is in the other lists: nothing is known of them. IPS is clicks /
    places: an item that could not have been shown counts as not clicked, so with such items it is too
    low. SNIPS is clicks / weights (Swaminathan, Joachims, The self-normalized estimator for
    counterfactual learning, NIPS, 2015): it is of those items alone that could have been shown; its
    error is smaller, with a bias that vanishes as users grow. The intervals are the percentile bootstrap
    over users.
    """
    if not (logged.n_users @ logged.weights):
        return []
    drawn = _resampled(logged, resamples, seed)
    sums = logged.n_users @ np.stack([logged.clicks, logged.weights, logged.places], axis=1)
    total = int(logged.n_users.sum())
    estimates = []
    for name, by in ((IPS, 2), (SNIPS, 1)):
        has_any = drawn[:, by] > 0  # a resample may hold no place that the other lists have
        low, high = np.quantile(drawn[has_any, 0] / drawn[has_any, by], [0.025, 0.975])
        estimates.append(
            Estimate(f"{metric}_{name}", 0, float(sums[0] / sums[by]), float(low), float(high), total)
        )
    return estimates


def _resampled(logged: Logged, resamples: int, seed: int) -> npt.NDArray[np.float64]:
    """The sums of clicks, weights and places over users drawn with replacement: float64 [resamples, 3].

    Users of a group are exchangeable, so what is drawn is how many are of each.
    """
    rng = np.random.default_rng(seed)
    total = int(logged.n_users.sum())
    values = np.stack([logged.clicks, logged.weights, logged.places], axis=1)
    at_once = max(1, _DRAWN_AT_ONCE // len(values))
    parts = [
        rng.multinomial(total, logged.n_users / total, size=min(at_once, resamples - start)) @ values
        for start in range(0, resamples, at_once)
    ]
    return np.concatenate(parts)
