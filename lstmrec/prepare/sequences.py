"""Model input: histories cut into windows, and padded to the length of their bucket."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.columns import PAD
from lstmrec.prepare import splits
from lstmrec.sections import SequencesConfig

_START = "_start"


def build(split_histories: DataFrame, rules: SequencesConfig) -> DataFrame:
    """Rows of `sequences` from histories with their split, target and n_known.

    Histories to learn from, longer than max_length give several windows, each starting with the last item of
    the one before, so that every item but the first is a target exactly once; a history of a single
    item has nothing to predict and gives none. The other splits give one window, the latest items.
    `seen` holds the distinct items of the whole input, so that none of them is recommended.
    """
    known = F.col(splits.N_KNOWN)
    learnt_from = F.col(c.SPLIT).isin(*splits.LEARNT_FROM)
    starts = F.when(
        learnt_from,
        F.when(
            known >= 2, F.sequence(F.lit(0), F.greatest(known - 2, F.lit(0)), F.lit(rules.max_length - 1))
        ),
    ).otherwise(F.array(F.greatest(known - rules.max_length, F.lit(0))))
    windows = split_histories.select("*", F.posexplode(starts).alias(c.WINDOW, _START))
    length = F.least(known - F.col(_START), F.lit(rules.max_length))
    seen = F.when(learnt_from, F.array().cast("array<int>")).otherwise(
        F.array_distinct(F.slice(c.ITEMS, 1, known))
    )
    return (
        windows.withColumn(c.LENGTH, length)
        .withColumn(c.SEEN, seen)
        .withColumn(c.PADDED_LENGTH, _bucket(F.col(c.LENGTH), rules.length_buckets))
        .withColumns({name: _padded(name) for name in (c.ITEMS, c.TYPES, c.GAPS)})
        .drop(splits.N_KNOWN, _START)
    )


def spread(sequences: DataFrame, row_groups: int) -> DataFrame:
    """The same rows, laid out for Petastorm: each split and bucket in up to `row_groups` files.

    Ranks share the work by row group. The same rows come to the same files in the same order, so
    that training on them is repeatable.
    """
    placed = sequences.repartition(row_groups, c.SEQUENCE_ID, c.WINDOW)
    shuffled = F.xxhash64(c.SEQUENCE_ID, c.WINDOW)
    return placed.sortWithinPartitions(c.SPLIT, c.PADDED_LENGTH, shuffled, c.SEQUENCE_ID, c.WINDOW)


def _bucket(length: Column, buckets: Sequence[int]) -> Column:
    """The smallest of `buckets` that `length` fits in."""
    return F.least(*(F.when(length <= size, size) for size in buckets), F.lit(buckets[-1]))


def _padded(name: str) -> Column:
    """The window's part of array `name`, then PAD up to the padded length."""
    window = F.slice(name, F.col(_START) + 1, F.col(c.LENGTH))
    return F.concat(window, F.array_repeat(F.lit(PAD), F.col(c.PADDED_LENGTH) - F.col(c.LENGTH)))
