"""Files of clicks (SessionId, ItemId, Time; tab-separated) as tables of a scratch lake, by session."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import SESSIONS
from lstmrec.prepare import sequences, splits
from tests.benchmarks import scratch_tables

ONE_DAY = 86_400.0


@dataclass(frozen=True)
class Session:
    """One visit's clicks, in order of time; equal times in order of the file."""

    id: str
    items: tuple[str, ...]
    seconds: tuple[float, ...]


def read(path: Path) -> list[Session]:
    """The sessions of a file, in order of their last click."""
    clicks = pd.read_csv(path, sep="\t", dtype={"SessionId": str, "ItemId": str})
    in_order = clicks.sort_values("Time", kind="stable")
    found = [
        Session(name, tuple(own["ItemId"]), tuple(own["Time"]))
        for name, own in in_order.groupby("SessionId", sort=False)
    ]
    return sorted(found, key=lambda session: (session.seconds[-1], session.id))


def cutoff(train: list[Session]) -> float:
    """Sessions that end after this are the last day of `train`: choices are made on them."""
    return train[-1].seconds[-1] - ONE_DAY


def without_unknown(test: Sequence[Session], train: Sequence[Session]) -> tuple[list[Session], int]:
    """`test` without the clicks on items that `train` lacks, and how many those were."""
    return with_items(test, {item for session in train for item in session.items})


def with_items(sessions: Sequence[Session], known: Set[str]) -> tuple[list[Session], int]:
    """`sessions` without the clicks on items that are not `known`, and how many those were."""
    kept = []
    for session in sessions:
        pairs = [p for p in zip(session.items, session.seconds, strict=True) if p[0] in known]
        if pairs:
            items, seconds = zip(*pairs, strict=True)
            kept.append(Session(session.id, items, seconds))
    return kept, sum(len(s.items) for s in sessions) - sum(len(s.items) for s in kept)


def write(lake: Lake, train: list[Session], test: list[Session], config: Config) -> None:
    """`item_index` of `train`, and `sequences` with the last day of it as validation."""
    run_date = day_after(test)
    to_learn, to_test = (frame(lake.spark, part) for part in (train, test))
    scratch_tables.fill_index(lake, to_learn, run_date)
    learnt, tested = (
        scratch_tables.histories_of(lake, rows, config, run_date) for rows in (to_learn, to_test)
    )
    held_out = F.col(c.END_TS) > F.lit(_time(cutoff(train)))
    split = (
        splits.whole(learnt.where(~held_out), splits.TRAIN)
        .unionByName(splits.whole(learnt, splits.TRAIN_AND_VALIDATION))
        .unionByName(splits.every_position(learnt.where(held_out), splits.VALIDATION))
        .unionByName(splits.every_position(tested, splits.TEST))
    )
    repeats_count = F.array().cast("array<int>")  # so nothing that was seen is out of the ranking
    model_input = sequences.build(split, config.sequences).withColumn(c.SEEN, repeats_count)
    scratch_tables.write_sequences(lake, model_input, config)


def day_after(sessions: Sequence[Session]) -> date:
    """The day after the last click."""
    return _time(max(session.seconds[-1] for session in sessions)).date() + timedelta(days=1)


def frame(spark: SparkSession, found: Sequence[Session]) -> DataFrame:
    """Rows of `sessions`."""
    return spark.createDataFrame(
        [scratch_tables.session(own.id, own.items, list(map(_time, own.seconds))) for own in found],
        SESSIONS.schema,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
