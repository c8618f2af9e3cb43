import numpy as np

from lstmrec.rank.exploration import draw

OPEN = np.array([[True, True, False, True, True]])


def test_only_open_places_are_drawn_each_once_with_their_probability() -> None:
    places, probability = draw(np.repeat(OPEN, 500, axis=0), np.arange(500, dtype=np.uint64), 2)
    assert (places[:, 0] != places[:, 1]).all()
    assert set(places.ravel().tolist()) == {0, 1, 3, 4}
    assert probability.tolist() == [0.5] * 500


def test_each_place_is_drawn_as_often_as_the_probability_says() -> None:
    places, _ = draw(np.repeat(OPEN, 20_000, axis=0), np.arange(20_000, dtype=np.uint64), 1)
    shares = np.bincount(places[:, 0], minlength=5) / 20_000
    # four standard deviations of a share of 1/4 are .0122
    assert (np.abs(shares[[0, 1, 3, 4]] - 0.25) < 0.0122).all()


def test_equal_seeds_draw_the_same_and_too_few_places_are_all_drawn() -> None:
    seeds = np.array([7, 7], np.uint64)
    places, probability = draw(np.repeat(OPEN, 2, axis=0), seeds, 6)
    assert places[0].tolist() == places[1].tolist()
    assert sorted(places[0].tolist()) == [-1, -1, 0, 1, 3, 4]
    assert probability.tolist() == [1.0, 1.0]
