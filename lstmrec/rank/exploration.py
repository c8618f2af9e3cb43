"""Chance in a list, so that it can be judged by what follows: draws that a rerun repeats, and their odds."""

import numpy as np
import numpy.typing as npt

from lstmrec.rank.top_n import Indices


def draw(
    is_open: npt.NDArray[np.bool_], seeds: npt.NDArray[np.uint64], k: int
) -> tuple[Indices, npt.NDArray[np.float64]]:
    """`k` places of each row, drawn without replacement from those that are open, and their probability.

    Places int64 [rows, k], -1 where a row has fewer than `k`; the probability [rows] that a given open
    place is drawn: k / open places, at most 1. Rows with equal `seeds` and places draw the same.
    """
    keys = np.where(is_open, _uniform(seeds[:, None], np.arange(is_open.shape[1], dtype=np.uint64)), 2.0)
    places = np.argsort(keys, axis=1, kind="stable")[:, :k]
    n_open = is_open.sum(axis=1)
    drawn = np.full((len(is_open), k), -1, np.int64)
    found = np.take_along_axis(is_open, places, axis=1)
    drawn[:, : places.shape[1]] = np.where(found, places, -1)
    return drawn, np.minimum(1.0, k / np.maximum(n_open, 1))


def _uniform(seeds: npt.NDArray[np.uint64], places: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Numbers in [0, 1) by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) of seed and place."""
    with np.errstate(over="ignore"):
        z = seeds + (places + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit: npt.NDArray[np.float64] = (z >> np.uint64(11)) / 2.0**53
    return unit
