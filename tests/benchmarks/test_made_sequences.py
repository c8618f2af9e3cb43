from itertools import pairwise

from tests.benchmarks.made_sequences import Maker


def made(seed: int) -> list[list[int]]:
    maker = Maker(400, seed)
    return [maker.history(least=5, mean=9) for _ in range(200)]


def test_a_seed_gives_the_same_histories_again_and_no_item_comes_twice_in_one() -> None:
    histories = made(seed=1)
    assert histories == made(seed=1)
    assert histories != made(seed=2)
    assert all(len(set(history)) == len(history) for history in histories)
    assert 8 < sum(map(len, histories)) / len(histories) < 10
    assert all(0 <= item < 400 for history in histories for item in history)


def test_what_follows_an_item_is_no_chance() -> None:
    maker = Maker(400, seed=1)
    histories = [maker.history(least=20, mean=30) for _ in range(500)]
    followers: dict[int, list[int]] = {}
    for history in histories:
        for item, following in pairwise(history):
            followers.setdefault(item, []).append(following)
    often = max(followers.values(), key=len)
    assert max(often.count(item) for item in set(often)) / len(often) > 10 / 400
