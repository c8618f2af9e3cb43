import pytest

from lstmrec.learn.optimizer import WarmUp


@pytest.mark.parametrize(("steps", "wanted"), [(4, [0.5, 1, 1.5, 2, 2, 2]), (0, [2, 2, 2, 2, 2, 2])])
def test_the_rate_rises_evenly_and_stays(steps: int, wanted: list[float]) -> None:
    rate = WarmUp(2.0, steps)
    assert [float(rate(step)) for step in range(6)] == wanted
