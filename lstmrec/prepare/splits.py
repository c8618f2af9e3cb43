"""Which part of a history a model may learn from, and which item it must then predict: leave-one-out."""

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.columns import PAD

TRAIN: Final = "train"
VALIDATION: Final = "validation"
TRAIN_AND_VALIDATION: Final = "train_and_validation"
"""What a final model learns from, once validation has chosen how: all but the test's target."""
TEST: Final = "test"
SCORE: Final = "score"
LEARNT_FROM: Final = (TRAIN, TRAIN_AND_VALIDATION)
"""Splits without a target of their own: each item is the target of those before it."""

N_KNOWN: Final = "n_known"
"""How many of a history's items a row of a split may show to the model."""


def leave_one_out(histories: DataFrame, min_length: int) -> DataFrame:
    """Every history once per split: with its n_known first items as input, and the target after them.

    A history of n >= `min_length` items gives train (n - 2 items), validation (n - 2, target the
    last but one), train_and_validation (n - 1) and test (n - 1, target the last); a shorter one gives
    all n to both train splits. A user's latest history gives score (n items). The train splits and
    score have target PAD: in train every item is the target of those before it. A target that the
    user had before is no target, since seen items are never recommended: the history then has no row
    in that split.
    """
    n = F.size(c.ITEMS)
    long_enough = n >= min_length
    splits = F.array(
        _row(TRAIN, F.when(long_enough, n - 2).otherwise(n), F.lit(False)),
        _row(VALIDATION, n - 2, F.lit(True)),
        _row(TRAIN_AND_VALIDATION, F.when(long_enough, n - 1).otherwise(n), F.lit(False)),
        _row(TEST, n - 1, F.lit(True)),
        _row(SCORE, n, F.lit(False)),
    )
    known = F.slice(c.ITEMS, 1, F.col(N_KNOWN))
    target = F.when(F.col("_held_out"), F.get(c.ITEMS, F.col(N_KNOWN))).otherwise(PAD)
    latest = F.row_number().over(Window.partitionBy(c.USER_ID).orderBy(F.desc(c.END_TS), c.SEQUENCE_ID)) == 1
    is_new = ~F.array_contains(known, F.col(c.TARGET))
    return (
        histories.withColumn("_latest", latest)
        .select("*", F.inline(splits))
        .where((~F.col("_held_out") | long_enough) & ((F.col(c.SPLIT) != SCORE) | F.col("_latest")))
        .withColumn(c.TARGET, target)
        .where(~F.col("_held_out") | is_new)
        .drop("_held_out", "_latest", c.END_TS)
    )


def whole(histories: DataFrame, split: str) -> DataFrame:
    """Every history as it is, for a split that is learnt from."""
    known = {c.SPLIT: F.lit(split), N_KNOWN: F.size(c.ITEMS), c.TARGET: F.lit(PAD)}
    return histories.withColumns(known).drop(c.END_TS)


def every_position(histories: DataFrame, split: str) -> DataFrame:
    """A row for each item but the first: what came before it as input, the item as target.

    An item that came before is a target, too: within a session one goes back to items. The row's
    sequence_id is the history's and the number of items shown, as in s1/3.
    """
    shown = F.explode(F.sequence(F.lit(1), F.size(c.ITEMS) - 1)).alias(N_KNOWN)
    return (
        histories.where(F.size(c.ITEMS) >= 2)
        .select("*", F.lit(split).alias(c.SPLIT), shown)
        .withColumn(c.TARGET, F.get(c.ITEMS, F.col(N_KNOWN)))
        .withColumn(c.SEQUENCE_ID, F.concat_ws("/", c.SEQUENCE_ID, N_KNOWN))
        .drop(c.END_TS)
    )


def _row(split: str, n_known: Column, held_out: Column) -> Column:
    return F.struct(F.lit(split).alias(c.SPLIT), n_known.alias(N_KNOWN), held_out.alias("_held_out"))
