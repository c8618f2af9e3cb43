"""The planted next-item structure of a synthetic log, and the walks that users take through it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Structure:
    """What a model can find: the cluster of each item, its one favourite successor, its popularity.

    The successors of a cluster's items form one ring, so no item is its own successor and each is
    the successor of exactly one: following them makes no item popular.
    """

    cluster: Ints
    successor: Ints
    popularity: Floats

    @property
    def clusters(self) -> int:
        return int(self.cluster.max()) + 1


def build_structure(items: int, clusters: int, zipf_exponent: float, rng: np.random.Generator) -> Structure:
    """Put `items` into `clusters` of unequal size, two items at least, and popular ones by chance."""
    given = np.tile(np.arange(clusters), 2)
    cluster = np.concatenate([given, rng.choice(clusters, items - given.size, p=shares(clusters))])
    rng.shuffle(cluster)

    successor = np.empty(items, dtype=np.int64)
    for number in range(clusters):
        ring = rng.permutation(np.flatnonzero(cluster == number))
        successor[ring] = np.roll(ring, -1)

    ranks = rng.permutation(items) + 1
    weights = ranks.astype(np.float64) ** -zipf_exponent
    return Structure(cluster, successor, weights / weights.sum())


def shares(clusters: int) -> Floats:
    """The share of each cluster among items and users: unequal, the first about twice the last."""
    weights = 1.0 + np.arange(clusters, 0, -1) / clusters
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def walk(
    structure: Structure,
    tastes: Ints,
    lengths: Ints,
    rng: np.random.Generator,
    *,
    p_successor: float,
    p_own_cluster: float,
) -> Ints:
    """The items of every user in the order of time, one user's after the other's.

    A step goes to the current item's successor with `p_successor`; else, with `p_own_cluster`, to
    an item of the user's taste by popularity; else to any item, all alike. A first step is never a
    successor. All users take their t-th step at once: the loop is as long as the longest walk.
    """
    draw = _ClusterSampler(structure)
    longest_first = np.argsort(-lengths, kind="stable")
    starts = (np.cumsum(lengths) - lengths)[longest_first]
    tastes = tastes[longest_first]
    still_walking = np.searchsorted(-lengths[longest_first], -np.arange(lengths.max(initial=0)), side="left")

    walked = np.empty(int(lengths.sum()), dtype=np.int64)
    current = np.full(lengths.size, -1, dtype=np.int64)
    for step, users in enumerate(still_walking):
        chance = rng.random((3, users))
        follows = (chance[0] < p_successor) & (step > 0)
        anywhere = (chance[2] * structure.cluster.size).astype(np.int64)
        jump = np.where(chance[1] < p_own_cluster, draw(tastes[:users], chance[2]), anywhere)
        current[:users] = np.where(follows, structure.successor[current[:users]], jump)
        walked[starts[:users] + step] = current[:users]
    return walked


class _ClusterSampler:
    """Items of given clusters, drawn by popularity from given uniform numbers."""

    def __init__(self, structure: Structure) -> None:
        self._by_cluster = np.argsort(structure.cluster, kind="stable")
        self._until = np.cumsum(structure.popularity[self._by_cluster])
        sizes = np.bincount(structure.cluster)
        self._last = np.cumsum(sizes) - 1
        self._first = self._last - sizes + 1

    def __call__(self, clusters: Ints, uniform: Floats) -> Ints:
        below = np.where(self._first[clusters] > 0, self._until[self._first[clusters] - 1], 0.0)
        mass = self._until[self._last[clusters]] - below
        place = np.searchsorted(self._until, below + uniform * mass, side="right")
        drawn: Ints = self._by_cluster[np.clip(place, self._first[clusters], self._last[clusters])]
        return drawn
