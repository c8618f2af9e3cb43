"""A file of events (SessionId, ItemId, Time, of click_sessions; a session is a user) split at two instants.

The last tenth of all events is the test's, the tenth before it validation's. Each of their events with an
earlier one of the same user is foretold from all that the user did before; what a user had is no target,
and neither is an item that nobody had before the test began: such events are dropped, and counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.columns import PAD
from lstmrec.config import Config
from lstmrec.lake.store import Lake
from lstmrec.prepare import sequences, splits
from tests.benchmarks import click_sessions, scratch_tables
from tests.benchmarks.click_sessions import Session

SHARE = 0.1
"""Of all events, the latest ones, that validation and the test each have."""

_CUTS = ("_to_validation", "_to_test", "_to_end")


@dataclass(frozen=True)
class Split:
    """Users with the events that stay, and the two instants: each belongs to what begins there."""

    users: tuple[Session, ...]
    validation: float
    test: float
    n_dropped: int

    def before(self, end: float) -> list[Session]:
        """Each user's events before `end`; users without one are left out."""
        return [
            Session(user.id, user.items[:n], user.seconds[:n])
            for user in self.users
            if (n := events_before(user, end))
        ]

    def asked(self, start: float, end: float) -> Iterator[tuple[Sequence[str], str]]:
        """(history, next item) of each event from `start` on and before `end` that is foretold."""
        for user in self.users:
            for place in range(max(1, events_before(user, start)), events_before(user, end)):
                if user.items[place] not in user.items[:place]:
                    yield user.items[:place], user.items[place]


def split(users: Sequence[Session]) -> Split:
    times = np.sort([second for user in users for second in user.seconds])
    validation, test = (float(times[-int(len(times) * SHARE * parts)]) for parts in (2, 1))
    known = {
        item for user in users for item, second in zip(user.items, user.seconds, strict=True) if second < test
    }
    kept, n_dropped = click_sessions.with_items(users, known)
    return Split(tuple(kept), validation, test, n_dropped)


def events_before(user: Session, end: float) -> int:
    return int(np.searchsorted(user.seconds, end, side="left"))


def write(lake: Lake, parts: Split, config: Config) -> None:
    """`item_index` of what comes before the test, and `sequences`."""
    run_date = click_sessions.day_after(parts.users)
    scratch_tables.fill_index(lake, click_sessions.frame(lake.spark, parts.before(parts.test)), run_date)
    rows = click_sessions.frame(lake.spark, parts.users)
    ends = (parts.validation, parts.test, float("inf"))
    counts = [(user.id, *(events_before(user, end) for end in ends)) for user in parts.users]
    cuts = lake.spark.createDataFrame(counts, [c.USER_ID, *_CUTS])
    owned = scratch_tables.histories_of(lake, rows, config, run_date).join(cuts, on=c.USER_ID, how="inner")
    named = zip((splits.VALIDATION, splits.TEST), pairwise(_CUTS), strict=True)
    model_input = (
        _learnt(owned, splits.TRAIN, _CUTS[0])
        .unionByName(_learnt(owned, splits.TRAIN_AND_VALIDATION, _CUTS[1]))
        .unionByName(_asked(owned, *next(named)))
        .unionByName(_asked(owned, *next(named)))
    )
    scratch_tables.write_sequences(lake, sequences.build(model_input, config.sequences), config)


def _learnt(owned: DataFrame, name: str, cut: str) -> DataFrame:
    known = {c.SPLIT: F.lit(name), splits.N_KNOWN: F.col(cut).cast("int"), c.TARGET: F.lit(PAD)}
    return owned.where(F.col(cut) > 0).withColumns(known).drop(c.END_TS, *_CUTS)


def _asked(owned: DataFrame, name: str, between: tuple[str, str]) -> DataFrame:
    start, end = F.greatest(F.lit(1).cast("bigint"), between[0]), F.col(between[1])
    known = F.col(splits.N_KNOWN)
    return (
        owned.where(start < end)
        .select("*", F.lit(name).alias(c.SPLIT), F.explode(F.sequence(start, end - 1)).alias("_n"))
        .withColumn(splits.N_KNOWN, F.col("_n").cast("int"))
        .withColumn(c.TARGET, F.get(c.ITEMS, known))
        .where(~F.array_contains(F.slice(c.ITEMS, 1, known), F.col(c.TARGET)))
        .withColumn(c.SEQUENCE_ID, F.concat_ws("/", c.SEQUENCE_ID, known))
        .drop("_n", c.END_TS, *_CUTS)
    )
