"""Our accuracy next to a second independent library, RePlay, on the same lists and tastes as RecTools."""

import numpy as np
import pandas as pd
import pytest
from replay import metrics as theirs

from lstmrec.rank.accuracy import METRICS, Judged
from tests.rank.test_against_rectools import KS, USERS, world

OF_THEM = {
    "hit_rate": theirs.HitRate,
    "precision": theirs.Precision,
    "recall": theirs.Recall,
    "mrr": theirs.MRR,
    "map": theirs.MAP,
    "ndcg": theirs.NDCG,
}


def test_each_metric_of_accuracy_is_compared() -> None:
    assert set(OF_THEM) == set(METRICS)


@pytest.mark.parametrize("n_relevant", [1, 25])
def test_accuracy_is_theirs_user_by_user(n_relevant: int) -> None:
    drawn = world(9, n_relevant, shortest=1)
    n_each = np.array([len(items) for items in drawn.relevant])
    judged = Judged(drawn.hits, n_each)
    user, place = np.nonzero(drawn.lists)
    lists = pd.DataFrame({"query_id": user, "item_id": drawn.lists[user, place], "rating": -place})
    pairs = [(user, item) for user, items in enumerate(drawn.relevant) for item in sorted(items)]
    relevant = pd.DataFrame(pairs, columns=["query_id", "item_id"])
    for name, metric in OF_THEM.items():
        told = metric(list(KS), mode=theirs.PerUser())(lists, relevant)
        for k in KS:
            by_user = pd.Series(told[f"{metric.__name__}-PerUser@{k}"]).reindex(range(USERS)).to_numpy()
            if name == "map":  # they divide by the most hits that k places have room for, we by all relevant
                by_user = by_user * np.minimum(k, n_each) / n_each
            assert METRICS[name](judged, k) == pytest.approx(by_user, abs=1e-12), (name, k)
