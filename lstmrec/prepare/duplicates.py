"""Rows with one key: which is the event, which are copies of it, and which contradict it."""

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lstmrec import columns as c

DUPLICATE: Final = "duplicate"
ID_CONFLICT: Final = "id_conflict"


def settle(batch: DataFrame, rivals: DataFrame) -> DataFrame:
    """Rows of `batch` and `rivals`, the stored events with their keys, each with its `outcome`.

    Of all rows with one key the winner is the one received first, then the one with the smallest
    payload hash, then the one sent first; what is stored already wins over its like. A winner's
    outcome is its status (accepted or late); a row with the winner's content is a `duplicate`,
    another an `id_conflict`. `is_stored` tells the rivals from the batch.
    """
    rows = batch.withColumn(c.IS_STORED, F.lit(False)).unionByName(
        rivals.withColumn(c.IS_STORED, F.lit(True)), allowMissingColumns=True
    )
    best_first = Window.partitionBy(c.EVENT_KEY).orderBy(
        F.col(c.RECEIVED_TS),
        F.col(c.PAYLOAD_HASH),
        F.col(c.SENT_TS).asc_nulls_last(),
        F.col(c.IS_STORED).desc(),
    )
    is_winner = F.row_number().over(best_first) == 1
    is_copy = F.col(c.PAYLOAD_HASH) == F.first(c.PAYLOAD_HASH).over(best_first)
    outcome = F.when(is_winner, F.col(c.STATUS)).when(is_copy, DUPLICATE).otherwise(ID_CONFLICT)
    return rows.withColumn(c.OUTCOME, outcome)


def won() -> Column:
    """Whether a settled row is the event of its key."""
    return ~F.col(c.OUTCOME).isin(DUPLICATE, ID_CONFLICT)
