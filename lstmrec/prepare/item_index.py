"""Dense item indices: 1, 2, ... in the order in which items came, never given twice, never moved."""

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.columns import PAD


def new_items(sessions: DataFrame, index: DataFrame, run_date: date) -> DataFrame:
    """Rows to append to `item_index`: items of `sessions` that it lacks, in order of item id.

    Their indices go on after the highest one given so far.
    """
    seen = sessions.select(F.explode(c.ITEM_IDS).alias(c.ITEM_ID)).distinct()  # an item is in many sessions
    missing = seen.join(index.select(c.ITEM_ID), on=c.ITEM_ID, how="left_anti")
    highest = index.agg(F.coalesce(F.max(c.ITEM_INDEX), F.lit(PAD)).alias("_highest"))
    place = F.row_number().over(Window.orderBy(c.ITEM_ID))  # one partition: only new items pass through it
    return (
        missing.join(highest, how="cross")
        .withColumn(c.ITEM_INDEX, F.col("_highest") + place)
        .withColumn("added_on", F.lit(run_date))
        .drop("_highest")
    )
