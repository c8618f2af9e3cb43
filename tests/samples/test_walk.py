"""The planted structure and the walks through it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmrec.samples.walk import Structure, build_structure, walk


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(clusters=st.integers(1, 6), spare=st.integers(0, 50), seed=st.integers(0, 1000))
def test_the_successors_of_each_cluster_are_one_ring_through_all_its_items(
    clusters: int, spare: int, seed: int
) -> None:
    structure = build_structure(2 * clusters + spare, clusters, 1.0, rng(seed))

    for cluster in range(clusters):
        members = set(np.flatnonzero(structure.cluster == cluster).tolist())
        start = min(members)
        ring = [start]
        while (after := int(structure.successor[ring[-1]])) != start:
            ring.append(after)
        assert set(ring) == members
        assert len(ring) == len(members) >= 2


def test_popularity_falls_by_the_law_of_zipf() -> None:
    popularity = np.sort(build_structure(100, 4, 1.0, rng()).popularity)[::-1]

    assert popularity.sum() == pytest.approx(1)
    assert popularity[0] / popularity[9] == pytest.approx(10)


# Two clusters, items 0, 1, 2 and 3, 4; item 2 is three times as popular as the others of its cluster.
SMALL = Structure(
    cluster=np.array([0, 0, 0, 1, 1]),
    successor=np.array([1, 2, 0, 4, 3]),
    popularity=np.array([0.1, 0.1, 0.3, 0.25, 0.25]),
)


def test_a_sure_successor_is_always_followed_and_each_user_walks_alone() -> None:
    lengths = np.array([2, 5, 1])
    walked = walk(SMALL, np.array([0, 1, 0]), lengths, rng(), p_successor=1.0, p_own_cluster=1.0)

    short, long, single = np.split(walked, np.cumsum(lengths)[:-1])
    assert short[1] == SMALL.successor[short[0]]
    assert long.tolist() in ([3, 4, 3, 4, 3], [4, 3, 4, 3, 4])
    assert single.tolist()[0] in (0, 1, 2)


def test_a_step_within_the_taste_goes_by_popularity() -> None:
    walked = walk(SMALL, np.array([0]), np.array([20_000]), rng(), p_successor=0.0, p_own_cluster=1.0)

    assert np.bincount(walked, minlength=5) / walked.size == pytest.approx([0.2, 0.2, 0.6, 0, 0], abs=0.02)


def test_a_step_anywhere_takes_all_items_alike() -> None:
    walked = walk(SMALL, np.array([0]), np.array([20_000]), rng(), p_successor=0.0, p_own_cluster=0.0)

    assert np.bincount(walked, minlength=5) / walked.size == pytest.approx([0.2] * 5, abs=0.02)


def test_no_users_walk_nowhere() -> None:
    nobody = np.array([], dtype=np.int64)

    assert walk(SMALL, nobody, nobody, rng(), p_successor=0.5, p_own_cluster=0.5).size == 0
