"""Why an item is in a list: the items of the user's history that are nearest to it."""

import numpy as np
import numpy.typing as npt

from lstmrec.rank.top_n import Indices

Vectors = npt.NDArray[np.float32]


def directions(vectors: Vectors) -> Vectors:
    """The vectors at length 1, [items, width]; a vector of 0 stays 0."""
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit


def nearest(given: Indices, history: Indices, unit: Vectors, k: int) -> Indices:
    """The `k` items of each row's `history` that are nearest to each `given` item, nearest first.

    int64 [rows, given, k]; 0 where a history has fewer items. `given` are item indices [rows, given],
    `history` [rows, longest], 0 for no item; an item that comes twice counts once. Nearest by cosine
    of `unit`, the directions of the items' vectors; ties go to the later item of the history. The
    likeness is that of item-based models: Sarwar et al., "Item-Based Collaborative Filtering", WWW 2001.
    """
    length = history.shape[1]
    again = (history[:, :, None] == history[:, None, :]) & np.triu(np.ones((length, length), bool), k=1)
    is_open = (history != 0) & ~again.any(axis=2)
    likeness = unit[given] @ unit[history].transpose(0, 2, 1)
    likeness = np.where(is_open[:, None, :], likeness, -np.inf)[:, :, ::-1]  # the latest first
    places = np.argsort(-likeness, axis=2, kind="stable")[:, :, :k]
    found = np.take_along_axis(likeness, places, axis=2) > -np.inf
    items = np.take_along_axis(history[:, None, ::-1], places, axis=2)
    padded = np.zeros((*given.shape, k), np.int64)
    padded[:, :, : items.shape[2]] = np.where(found, items, 0)
    return padded
