import numpy as np
import pytest

from lstmrec.rank.off_policy import Logged, click_through


def logged(*groups: tuple[float, float, float, int]) -> Logged:
    clicks, weights, places, n_users = np.array(groups, np.float64).T
    return Logged(clicks, weights, places, n_users.astype(np.int64))


def test_ips_is_over_all_places_and_snips_over_those_that_could_be_shown() -> None:
    # drawn with 1/4, clicked by one user and not by another; a third was shown neither item of the other list
    got = click_through(logged((4, 4, 2, 1), (0, 4, 2, 1), (0, 0, 2, 1)), "click_through", 50, seed=1)
    assert {each.metric: each.value for each in got} == {
        "click_through_ips": 4 / 6,
        "click_through_snips": 4 / 8,
    }
    assert {each.n_users for each in got} == {3}


def test_lists_of_which_nothing_was_shown_have_no_estimate() -> None:
    assert click_through(logged((0, 0, 2, 5)), "click_through", 50, seed=1) == []


@pytest.mark.parametrize("estimator", ["ips", "snips"])
def test_the_interval_holds_the_true_value_about_as_often_as_it_says(estimator: str) -> None:
    """Two items: one is drawn with 1/4 and liked by .2, and stands in the other list; the other is not."""
    rng = np.random.default_rng(3)
    n_users, held = 800, 0
    for trial in range(200):
        n_drawn = rng.binomial(n_users, 1 / 4)
        n_clicked = rng.binomial(n_drawn, 0.2)
        groups = [(4, 4, 1, n_clicked), (0, 4, 1, n_drawn - n_clicked), (0, 0, 1, n_users - n_drawn)]
        (got,) = [
            each for each in click_through(logged(*groups), "click_through", 400, seed=trial)
            if each.metric.endswith(f"_{estimator}")
        ]  # fmt: skip
        assert got.ci_low is not None
        assert got.ci_high is not None
        held += got.ci_low <= 0.2 <= got.ci_high
    assert 180 <= held <= 199  # 190 are expected, with a deviation of 3


def test_the_interval_does_not_depend_on_how_many_resamples_are_drawn_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    groups = logged((4, 4, 2, 10), (0, 4, 2, 20), (0, 0, 2, 30))
    whole = click_through(groups, "click_through", 100, seed=2)
    monkeypatch.setattr("lstmrec.rank.off_policy._DRAWN_AT_ONCE", 1)
    assert click_through(groups, "click_through", 100, seed=2) == whole
