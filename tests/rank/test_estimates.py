import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from lstmrec.rank.accuracy import METRICS
from lstmrec.rank.estimates import Estimate, RatioSums, accuracy, mean, ratio


def of(ranks: list[int], *ks: int, n_users: list[int] | None = None, resamples: int = 50) -> list[Estimate]:
    users = np.array(n_users or [1] * len(ranks), np.int64)
    return accuracy(np.array(ranks, np.int64), users, ks, resamples=resamples, seed=3)


def value(estimates: list[Estimate], metric: str, k: int) -> float:
    (found,) = [e for e in estimates if (e.metric, e.k) == (metric, k)]
    return found.value


def test_the_estimates_are_means_over_users() -> None:
    estimates = of([1, 3], 1, 5)
    assert value(estimates, "hit_rate", 1) == 1 / 2
    assert value(estimates, "hit_rate", 5) == 1
    assert value(estimates, "mrr", 5) == pytest.approx((1 + 1 / 3) / 2)
    assert value(estimates, "ndcg", 5) == pytest.approx((1 + 1 / math.log2(4)) / 2)


def test_each_metric_is_told_once_at_each_k() -> None:
    estimates = of([1, 3, 9], 5, 10)
    assert [(e.metric, e.k) for e in estimates] == [(name, k) for name in METRICS for k in (5, 10)]
    assert {e.n_users for e in estimates} == {3}


def test_users_counted_by_rank_weigh_as_users_listed_one_by_one() -> None:
    counted = of([2, 7], 5, n_users=[3, 1])
    listed = of([2, 2, 2, 7], 5)
    assert [e.value for e in counted] == pytest.approx([e.value for e in listed])
    assert value(counted, "mrr", 5) == pytest.approx((3 * 1 / 2 + 0) / 4)
    assert {e.n_users for e in counted} == {4}


def test_without_users_there_is_nothing_to_tell() -> None:
    assert of([], 5, 10) == []


def test_one_user_has_an_interval_without_width() -> None:
    estimates = {e.metric: e for e in of([2], 5)}
    for metric, only in (("hit_rate", 1), ("precision", 1 / 5), ("mrr", 1 / 2), ("ndcg", 1 / math.log2(3))):
        found = estimates[metric]
        assert found.ci_low == found.value == found.ci_high == pytest.approx(only)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert of([1, 4, 30], 5) == of([1, 4, 30], 5)


def test_the_interval_is_that_of_drawing_users_one_by_one() -> None:
    rng = np.random.default_rng(11)
    ranks = rng.geometric(0.05, size=300)
    distinct, n_users = np.unique(ranks, return_counts=True)
    (quick,) = [e for e in accuracy(distinct, n_users, [10], resamples=4000, seed=5) if e.metric == "ndcg"]

    gains = np.array([1 / math.log2(1 + rank) if rank <= 10 else 0.0 for rank in ranks])
    means = [rng.choice(gains, size=len(gains)).mean() for _ in range(4000)]
    low, high = np.quantile(means, [0.025, 0.975])
    assert quick.value == pytest.approx(gains.mean())
    assert quick.ci_high - quick.ci_low == pytest.approx(high - low, rel=0.08)
    assert quick.ci_low == pytest.approx(low, abs=0.08 * (high - low))


def test_more_users_narrow_the_interval_by_the_square_root() -> None:
    few, many = (of([1, 20], 10, n_users=[n, n], resamples=2000)[0] for n in (50, 5000))
    assert (few.ci_high - few.ci_low) / (many.ci_high - many.ci_low) == pytest.approx(10, rel=0.15)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.lists(st.integers(1, 60), min_size=1, max_size=20), st.integers(1, 20))
def test_no_metric_is_above_the_hit_rate_and_each_is_within_its_interval_of_zero_to_one(
    ranks: list[int], k: int
) -> None:
    estimates = {e.metric: e for e in of(ranks, k)}
    hit, gain, reciprocal = (estimates[name].value for name in ("hit_rate", "ndcg", "mrr"))
    assert 0 <= reciprocal <= gain + 1e-12 <= hit + 2e-12 <= 1 + 2e-12
    for each in estimates.values():
        assert each.ci_low is not None
        assert each.ci_high is not None
        assert 0 <= each.ci_low <= each.ci_high <= 1 + 1e-12


def test_a_mean_has_the_interval_of_its_standard_error() -> None:
    values = np.array([1.0, 2.0, 2.0, 7.0])
    got = mean("novelty", 5, 4, values.sum(), (values**2).sum())
    error = 1.959963984540054 * values.std() / 2  # of four users
    assert (got.metric, got.k, got.value, got.n_users) == ("novelty", 5, 3.0, 4)
    assert (got.ci_low, got.ci_high) == (pytest.approx(3 - error), pytest.approx(3 + error))


def test_the_interval_of_a_mean_is_what_the_bootstrap_comes_to() -> None:
    values = np.random.default_rng(5).gamma(2.0, size=2000)
    got = mean("novelty", 5, len(values), values.sum(), (values**2).sum())
    drawn = bootstrap((values,), np.mean, n_resamples=2000, method="percentile", rng=1).confidence_interval
    assert got.ci_low == pytest.approx(drawn.low, abs=0.1 * (drawn.high - drawn.low))
    assert got.ci_high == pytest.approx(drawn.high, abs=0.1 * (drawn.high - drawn.low))


def test_values_that_are_all_alike_have_an_interval_without_width() -> None:
    got = mean("short_lists", 5, 3, 3 * 0.1, 3 * 0.1**2)
    assert got.ci_low == pytest.approx(0.1)
    assert got.ci_high == pytest.approx(0.1)


def test_a_ratio_is_of_sums_and_its_interval_of_users() -> None:
    # users with 1 of 3 and 0 of 3: residuals of 1/2 and -1/2 about the mean of 1/6 a place
    got = ratio("click_through", 0, RatioSums(1, 6, 1, 3, 18, 2))
    assert (got.value, got.n_users) == (1 / 6, 2)
    assert (got.ci_low, got.ci_high) == (0, pytest.approx(1 / 6 + 1.959964 / 6))  # no rate is below 0
    # 100 users with 2 of 3 and 100 with 1 of 3: residuals of 1/2 and -1/2 about 1/2 a place
    many = ratio("click_through", 0, RatioSums(300, 600, 500, 900, 1800, 200))
    half = 1.959964 * (50 * 200 / 199) ** 0.5 / 600
    assert (many.ci_low, many.ci_high) == (pytest.approx(0.5 - half), pytest.approx(0.5 + half))


def test_a_ratio_has_no_interval_where_all_users_are_alike() -> None:
    for sums in (RatioSums(2, 6, 2, 6, 18, 2), RatioSums(0, 6, 0, 0, 18, 2), RatioSums(1, 3, 1, 3, 9, 1)):
        got = ratio("click_through", 0, sums)
        assert (got.ci_low, got.ci_high) == (None, None)


def test_a_ratios_interval_holds_the_true_value_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        places = rng.integers(1, 10, 400)
        liking = rng.beta(1, 4, 400)  # of a user, so that a user's places are alike; .2 on average
        clicks = rng.binomial(places, liking)
        sums = (clicks.sum(), places.sum(), clicks @ clicks, clicks @ places, places @ places)
        got = ratio("click_through", 0, RatioSums(*map(float, sums), 400))
        assert got.ci_low is not None
        assert got.ci_high is not None
        held += got.ci_low <= 0.2 <= got.ci_high
    assert 273 <= held <= 297  # 285 are expected, with a deviation of 4
