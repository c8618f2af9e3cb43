"""Bots by their times alone: what people stay below, at the bounds and beyond."""

import numpy as np
import pytest

from lstmrec.prepare import bots

SECOND = 1_000_000
MINUTE = 60 * SECOND
LIMITS = bots.Limits(events_per_minute=60, duration=24 * 60 * MINUTE, steady_events=20, steady_variation=0.05)


def is_bot(pauses: list[float], limits: bots.Limits = LIMITS) -> bool:
    """Of one session with these pauses in seconds."""
    times = np.cumsum([0, *pauses]) * SECOND
    (found,) = bots.are_bots(times.astype(np.int64), np.array([0]), limits)
    return bool(found)


def test_more_events_a_minute_than_a_person_makes_are_a_bots() -> None:
    uneven = [0.5, 1.5] * 30  # 61 events in a minute
    assert is_bot(uneven)
    assert not is_bot(uneven[:-1])  # 60 events in 58.5 seconds: a burst
    assert not is_bot([0.5, 1.5, 1.0, 1.1] * 15)  # 61 events in 61.5 seconds: 59.5 a minute


def test_a_session_of_a_day_is_a_bots_from_the_day_on() -> None:
    uneven = [600, 1800] * 35 + [600, 1799]  # a second short of a day
    assert not is_bot(uneven)
    assert is_bot([*uneven, 1])


@pytest.mark.parametrize(("away", "expected"), [(0.9, True), (1.1, False)])
def test_an_even_pace_is_a_bots_where_it_varies_less_than_the_bound(away: float, expected: bool) -> None:
    # pauses of 20 s, up and down by the bound: the deviation is away * 0.05 of the mean
    assert is_bot([20 - away, 20 + away] * 10) == expected


def test_an_even_pace_tells_from_so_many_events_on() -> None:
    assert not is_bot([20] * 18)
    assert is_bot([20] * 19)


def test_milliseconds_tell_nothing_below_them() -> None:
    assert is_bot([0.0101, 0.0109] * 10)  # 10 ms each


def test_events_of_one_moment_have_no_pace() -> None:
    assert not is_bot([0] * 30)
    assert not is_bot([])


def test_no_pace_is_even_where_the_rule_is_off() -> None:
    assert not is_bot([20] * 30, LIMITS._replace(steady_variation=0))


def test_the_pause_to_the_next_session_is_of_neither() -> None:
    even, uneven = [20] * 19, [20, 30] * 10
    first = np.cumsum([0, *even])
    second = first[-1] + 7_200 + np.cumsum([0, *uneven])
    times = np.concatenate([first, second]).astype(np.int64) * SECOND
    assert bots.are_bots(times, np.array([0, len(first)]), LIMITS).tolist() == [True, False]


def test_pauses_of_a_robot_that_runs_for_years_are_summed_exactly() -> None:
    limits = LIMITS._replace(duration=10**18)
    assert is_bot([1800] * 100_000, limits)
    assert not is_bot([1800, 1500] * 50_000, limits)
