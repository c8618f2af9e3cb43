import pytest
import tensorflow as tf

from lstmrec.learn.averaging import WeightAverage


def averaged(values: list[float], steps: int) -> float:
    weight = tf.Variable(99.0)
    average = WeightAverage([weight], steps)
    for value in values:
        weight.assign(value)
        average.update()
    with average.in_place():
        return float(weight)


@pytest.mark.parametrize(
    ("values", "steps", "wanted"),
    [
        ([5], 4, 5),  # nothing of the random start
        ([2, 4], 4, 3),
        ([2, 4, 9], 4, 5),
        ([2, 4, 9], 2, (3 + 9) / 2),  # 1/3 of the way would be the mean of all; it moves half of it
        ([2, 4, 9], 0, 9),  # no averaging
    ],
)
def test_the_average_is_the_plain_mean_until_its_window_is_full(
    values: list[float], steps: int, wanted: float
) -> None:
    assert averaged(values, steps) == pytest.approx(wanted)


def test_the_raw_weights_come_back() -> None:
    weight = tf.Variable(1.0)
    average = WeightAverage([weight], 10)
    average.update()
    weight.assign(3.0)
    average.update()
    with average.in_place():
        assert float(weight) == 2
    assert float(weight) == 3
