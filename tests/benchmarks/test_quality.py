import math
from pathlib import Path

import pytest

from lstmrec.config import Config
from tests.benchmarks import quality


def test_figures_are_means_over_targets() -> None:
    got = quality.figures_of([1, 3, 11])
    assert got["recall@1"] == pytest.approx(1 / 3)
    assert got["recall@10"] == pytest.approx(2 / 3)
    assert got["ndcg@10"] == pytest.approx((1 + 1 / 2) / 3)
    assert got["ndcg@20"] == pytest.approx((1 + 1 / 2 + 1 / math.log2(12)) / 3)
    assert got["mrr@5"] == pytest.approx((1 + 1 / 3) / 3)
    assert got["mrr"] == pytest.approx((1 + 1 / 3 + 1 / 11) / 3)


def test_the_interval_is_of_users_whose_seeds_stay_together(config: Config) -> None:
    def recall(ranks: quality.RanksOfSeeds) -> list[float]:
        return quality.interval(ranks, config, lambda user: user)["recall@10"]

    alike = {"ann": 1, "bob": 1}
    assert recall({1: alike, 2: alike}) == [1, 1]
    # each user hits with one seed of two: whoever is drawn, the mean is 1/2
    assert recall({1: {"ann": 1, "bob": 99}, 2: {"ann": 99, "bob": 1}}) == [0.5, 0.5]
    lone = {"ann": 1, "bob": 99}
    assert recall({1: lone, 2: lone}) == [0, 1]


def test_the_targets_of_a_session_are_drawn_together(config: Config) -> None:
    # two sessions with a hit and a miss each: whichever are drawn, the mean is 1/2
    ranks = {1: {"s1/1": 1, "s1/2": 99, "s2/1": 99, "s2/2": 1}}
    assert quality.interval(ranks, config, lambda name: name.split("/")[0])["recall@10"] == [0.5, 0.5]


def test_ranks_are_written_a_line_a_target(tmp_path: Path) -> None:
    quality.write_ranks(tmp_path / "ranks.tsv", {1: {"ann": 3, "bob": 4}, 2: {"ann": 5, "bob": 6}})
    assert (tmp_path / "ranks.tsv").read_text() == "id\tseed_1\tseed_2\nann\t3\t5\nbob\t4\t6\n"
