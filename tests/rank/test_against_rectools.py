"""Our metrics next to those of RecTools, an independent library, on lists and tastes drawn at random."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rectools import Columns
from rectools import metrics as theirs
from scipy.spatial.distance import cdist

from lstmrec.rank import list_metrics
from lstmrec.rank.accuracy import METRICS, Judged
from lstmrec.rank.beyond_accuracy import item_coverage
from lstmrec.rank.list_metrics import Catalogue

USERS, ITEMS, N = 60, 40, 20
KS = (1, 5, 10, 20)


@dataclass
class World:
    """Lists of all lengths, what the users took before, and what they took then: several items each."""

    lists: np.ndarray
    relevant: list[set[int]]
    before: np.ndarray
    catalogue: Catalogue

    @property
    def hits(self) -> np.ndarray:
        rows = zip(self.lists.tolist(), self.relevant, strict=True)
        return np.array([[item in taken for item in own] for own, taken in rows])

    @property
    def reco(self) -> pd.DataFrame:
        user, place = np.nonzero(self.lists)
        return pd.DataFrame(
            {Columns.User: user, Columns.Item: self.lists[user, place], Columns.Rank: place + 1}
        )

    @property
    def interactions(self) -> pd.DataFrame:
        pairs = [(user, item) for user, items in enumerate(self.relevant) for item in sorted(items)]
        return pd.DataFrame(pairs, columns=[Columns.User, Columns.Item])

    @property
    def previous(self) -> pd.DataFrame:
        user, item = np.nonzero(self.before)
        return pd.DataFrame({Columns.User: user, Columns.Item: item})


def world(seed: int, n_relevant: int, shortest: int) -> World:
    rng = np.random.default_rng(seed)
    lists = np.stack([rng.permutation(ITEMS)[:N] + 1 for _ in range(USERS)])
    lists[np.arange(N) >= rng.integers(shortest, N + 1, USERS)[:, None]] = 0
    relevant = [
        set((rng.permutation(ITEMS)[: rng.integers(1, n_relevant + 1)] + 1).tolist()) for _ in range(USERS)
    ]
    before = rng.random((USERS, ITEMS + 1)) < rng.beta(0.7, 2.0, ITEMS + 1)
    before[:, [0, 7]] = False  # item 7 is new
    before[np.arange(USERS), rng.integers(8, ITEMS, USERS)] = True  # RecTools counts users with a row
    categories = np.zeros((ITEMS + 1, 3), np.int32)
    for item in range(1, ITEMS + 1):
        own = rng.permutation(5)[: rng.integers(1, 4)] + 1
        categories[item, : len(own)] = own
    vectors = rng.normal(size=(ITEMS + 1, 8)).astype(np.float32)
    return World(lists, relevant, before, Catalogue(before.sum(axis=0), USERS, categories, vectors, 0.2))


class Distances(theirs.PairwiseDistanceCalculator):
    """SciPy's distances between items, for RecTools' diversity."""

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = matrix

    def _get_distances_for_item_pairs(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return self.matrix[first.astype(int), second.astype(int)]


def accuracy_of(name: str, k: int) -> object:
    return {
        "hit_rate": theirs.HitRate(k),
        "precision": theirs.Precision(k),
        "recall": theirs.Recall(k),
        "mrr": theirs.MRR(k),
        "map": theirs.MAP(k),
        "ndcg": theirs.NDCG(k, divide_by_achievable=True),
    }[name]


@pytest.mark.parametrize("n_relevant", [1, 25])
@pytest.mark.parametrize("seed", range(4))
def test_accuracy_is_theirs_user_by_user(seed: int, n_relevant: int) -> None:
    drawn = world(seed, n_relevant, shortest=1)
    judged = Judged(drawn.hits, np.array([len(items) for items in drawn.relevant]))
    reco, interactions = drawn.reco, drawn.interactions
    for name, ours in METRICS.items():
        for k in KS:
            expected = accuracy_of(name, k).calc_per_user(reco, interactions)  # type: ignore[attr-defined]
            got = ours(judged, k)
            assert got == pytest.approx(expected.reindex(range(USERS)).to_numpy(), abs=1e-12), (name, k)


def of_lists(
    how: str,
    k: int,
    reco: pd.DataFrame,
    interactions: pd.DataFrame,
    previous: pd.DataFrame,
    catalogue: np.ndarray,
    by_category: Distances,
    by_vector: Distances,
) -> dict[str, Any]:
    """RecTools' figures of lists by our names; `how` is calc (of all lists) or calc_per_user."""

    def of(metric: Any, *given: Any) -> Any:
        return getattr(metric, how)(reco, *given)

    told = {
        "novelty": of(theirs.MeanInvUserFreq(k), previous),
        "serendipity": of(theirs.Serendipity(k), interactions, previous, catalogue),
        "average_popularity": of(theirs.AvgRecPopularity(k), previous),
        "user_coverage": of(theirs.CoveredUsers(k), interactions),
        "short_lists": 1 - of(theirs.SufficientReco(k)),
        "repeated_items": 1 - of(theirs.UnrepeatedReco(k)),
    }
    if k > 1:
        told["category_diversity"] = of(theirs.IntraListDiversity(k, by_category))
        told["embedding_diversity"] = of(theirs.IntraListDiversity(k, by_vector))
    return told


@pytest.mark.parametrize("seed", range(4))
def test_the_metrics_of_lists_are_theirs_user_by_user(seed: int) -> None:
    drawn = world(seed, n_relevant=1, shortest=2)
    taken = np.array([item for (item,) in drawn.relevant])
    places = (drawn.lists == taken[:, None]).argmax(axis=1) + 1
    ranks = np.where((drawn.lists == taken[:, None]).any(axis=1), places, N + 1)
    ours = dict(
        zip(
            list_metrics.names(KS),
            list_metrics.values(drawn.lists, ranks, drawn.catalogue, KS).T,
            strict=True,
        )
    )

    reco, interactions, previous = drawn.reco, drawn.interactions, drawn.previous
    one_hot = np.zeros((ITEMS + 1, 6), np.bool_)
    one_hot[np.arange(ITEMS + 1)[:, None], drawn.catalogue.categories] = True
    jaccard = Distances(cdist(one_hot[:, 1:], one_hot[:, 1:], "jaccard"))
    cosine = Distances(cdist(*[drawn.catalogue.vectors.astype(np.float64)] * 2, "cosine"))
    catalogue = np.arange(1, ITEMS + 1)
    for k in KS:
        expected = of_lists("calc_per_user", k, reco, interactions, previous, catalogue, jaccard, cosine)
        for name, values in expected.items():
            by_user = values.reindex(range(USERS)).to_numpy()
            assert ours[name, k] == pytest.approx(by_user, abs=1e-12), (name, k)


@pytest.mark.parametrize("k", KS)
def test_coverage_is_theirs(k: int) -> None:
    drawn = world(seed=5, n_relevant=1, shortest=1)
    few = drawn.lists[:4]
    n_listed = np.bincount(few[:, :k].ravel(), minlength=ITEMS + 1)[1:]
    reco = drawn.reco[drawn.reco[Columns.User] < 4]
    expected = theirs.CatalogCoverage(k, normalize=True).calc(reco, np.arange(1, ITEMS + 1))
    assert item_coverage(n_listed) == expected
