import math

import numpy as np
import pytest
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.rank.scorers import HistoryBlock
from tests.benchmarks.item_baselines import item_neighbours


def test_item_knn_likens_items_by_the_histories_that_hold_both(spark: SparkSession) -> None:
    rows = [("ann", [1, 2, 0], 2), ("ann", [2, 3, 0], 2), ("bob", [2, 1, 0], 2), ("cid", [4, 1, 0], 2)]
    learnt = spark.createDataFrame(rows, f"{c.SEQUENCE_ID} string, {c.ITEMS} array<int>, {c.LENGTH} int")
    last_is_1 = np.array([[3, 1]], np.int32)
    block = HistoryBlock(last_is_1, last_is_1, last_is_1, np.array([2], np.int32))
    (scores,) = item_neighbours(learnt, 5, damping=1).scores(block)
    # ann's two windows are one history; 3 histories hold item 1, 2 hold item 2, one each holds 3 and 4
    assert scores.tolist() == pytest.approx(
        [0, 0, 2 / math.sqrt(4 * 3), 1 / math.sqrt(4 * 2), 1 / math.sqrt(4 * 2), 0]
    )
