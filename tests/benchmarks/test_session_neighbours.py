import math

import pytest

from tests.benchmarks import click_sessions
from tests.benchmarks.click_sessions import Session
from tests.benchmarks.session_neighbours import ItemNeighbours, SessionNeighbours, ranks

PAST = [[0, 1], [0, 1, 2], [0, 3], [2, 3, 2]]  # item 0 in three sessions, the others in two each


def test_item_neighbours_weigh_what_is_together_by_how_often_each_is_at_all() -> None:
    got = ItemNeighbours(PAST, 4, damping=0.0).scores([2, 0])  # the last item, 0, counts alone
    assert got.tolist() == pytest.approx([0, 2 / math.sqrt(6), 1 / math.sqrt(6), 1 / math.sqrt(6)])
    damped = ItemNeighbours(PAST, 4, damping=1.0).scores([0])
    assert damped[1] == pytest.approx(2 / math.sqrt(4 * 3))


def test_session_neighbours_weigh_later_clicks_more_and_rare_items_up() -> None:
    # clicks 1, 2 weigh 1/2 and 1; likenesses 1/2, 3/2, 0 and 1, and the two nearest are sessions 2 and 4
    got = SessionNeighbours(PAST, 4, neighbours=2, recent=9).scores([1, 2])
    rare, common = math.log(4 / 2), math.log(4 / 3)
    assert got.tolist() == pytest.approx([1.5 * common, 1.5 * rare, 2.5 * rare, 1.0 * rare])


def test_only_the_latest_sessions_are_compared() -> None:
    got = SessionNeighbours(PAST, 4, neighbours=9, recent=1).scores([0])  # the latest with item 0 is (0, 3)
    assert got.tolist() == pytest.approx([math.log(4 / 3), 0, 0, math.log(4 / 2)])


def test_equals_are_not_against_a_baseline_but_no_score_is_a_miss() -> None:
    model = ItemNeighbours(PAST, 4, damping=0.0)
    assert ranks(model, [[0, 1], [0, 3], [0, 0], [1]]) == [1, 2, 5]  # items 2 and 3 are equal after 0


def test_clicks_on_unknown_items_are_dropped_and_counted() -> None:
    train = [Session("a", ("x", "y"), (1.0, 2.0))]
    test = [Session("b", ("z", "x", "y"), (3.0, 4.0, 5.0)), Session("c", ("z",), (6.0,))]
    kept, dropped = click_sessions.without_unknown(test, train)
    assert (kept, dropped) == ([Session("b", ("x", "y"), (4.0, 5.0))], 2)
