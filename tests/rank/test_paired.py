import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap, permutation_test

from lstmrec.rank.accuracy import METRICS, Judged
from lstmrec.rank.paired import Comparison, compare

RESAMPLES = 4000


def told(
    ours: np.ndarray, theirs: np.ndarray, k: int, n_users: np.ndarray | None = None
) -> dict[str, Comparison]:
    users = np.ones(len(ours), np.int64) if n_users is None else n_users
    return {each.metric: each for each in compare(ours, theirs, users, [k], RESAMPLES, seed=3)}


def by_chance(users: int) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of the same users by two models, of which the first is a little better."""
    rng = np.random.default_rng(8)
    return rng.geometric(0.12, users), rng.geometric(0.08, users)


def differences(metric: str, ours: np.ndarray, theirs: np.ndarray, k: int) -> np.ndarray:
    return METRICS[metric](Judged.by_rank(ours, k), k) - METRICS[metric](Judged.by_rank(theirs, k), k)


def test_the_difference_is_ours_less_theirs() -> None:
    got = told(np.array([1, 2]), np.array([3, 2]), k=2)
    assert got["hit_rate"].difference == 1 / 2
    assert got["mrr"].difference == 1 / 2
    assert got["precision"].difference == 1 / 4
    assert {each.n_users for each in got.values()} == {2}


def test_models_that_rank_alike_do_not_differ_by_chance_or_otherwise() -> None:
    for each in told(np.array([1, 4, 30]), np.array([1, 4, 30]), k=5).values():
        assert (each.difference, each.ci_low, each.ci_high, each.p_value) == (0, 0, 0, 1)


def test_one_users_difference_may_be_chance() -> None:
    assert told(np.array([1]), np.array([9]), k=5)["hit_rate"].p_value == 1


def test_no_users_have_no_comparison() -> None:
    nothing = np.zeros(0, np.int64)
    assert compare(nothing, nothing, nothing, [5], 10, seed=3) == []


def test_users_counted_weigh_as_users_listed_one_by_one() -> None:
    counted = told(np.array([1, 9]), np.array([9, 1]), k=5, n_users=np.array([30, 12]))["hit_rate"]
    listed = told(np.repeat([1, 9], [30, 12]), np.repeat([9, 1], [30, 12]), k=5)["hit_rate"]
    assert counted.difference == pytest.approx((30 - 12) / 42)
    assert listed.difference == pytest.approx(counted.difference)
    assert listed.p_value == pytest.approx(counted.p_value, abs=0.01)


def test_the_chance_of_a_difference_in_hits_is_that_of_as_many_tosses() -> None:
    got = told(np.array([1, 9, 1]), np.array([9, 1, 1]), k=5, n_users=np.array([30, 17, 50]))["hit_rate"]
    assert got.p_value == pytest.approx(binomtest(30, 47).pvalue, abs=0.015)


@pytest.mark.parametrize("metric", ["hit_rate", "mrr", "ndcg"])
def test_the_chance_is_that_of_scipys_permutation_test(metric: str) -> None:
    ours, theirs = by_chance(150)
    each = differences(metric, ours, theirs, 10)
    scipys = permutation_test(
        (each,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, vectorized=True, rng=4
    )
    got = told(ours, theirs, k=10)[metric]
    assert got.difference == pytest.approx(scipys.statistic, abs=1e-12)
    assert got.p_value == pytest.approx(scipys.pvalue, abs=0.015)


def test_the_interval_is_that_of_scipys_bootstrap() -> None:
    ours, theirs = by_chance(400)
    each = differences("ndcg", ours, theirs, 10)
    drawn = bootstrap((each,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=4)
    width = drawn.confidence_interval.high - drawn.confidence_interval.low
    got = told(ours, theirs, k=10)["ndcg"]
    assert got.ci_low == pytest.approx(drawn.confidence_interval.low, abs=0.08 * width)
    assert got.ci_high == pytest.approx(drawn.confidence_interval.high, abs=0.08 * width)


def test_luck_is_called_a_difference_once_in_twenty() -> None:
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(200):
        ours, theirs = rng.geometric(0.1, 80), rng.geometric(0.1, 80)
        (hits, *_) = compare(ours, theirs, np.ones(80, np.int64), [10], resamples=200, seed=3)
        found += hits.p_value < 0.05
    assert 1 <= found <= 20  # at most 10 in the mean, fewer since hits are few


def test_the_same_seed_gives_the_same_comparison() -> None:
    assert told(*by_chance(50), k=5) == told(*by_chance(50), k=5)
