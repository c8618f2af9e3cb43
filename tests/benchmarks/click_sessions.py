"""Files of clicks (SessionId, ItemId, Time; tab-separated) as tables of a scratch lake, by session."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake import checks
from lstmrec.lake.model_tables import ITEM_INDEX, SEQUENCES
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import SESSIONS
from lstmrec.prepare import histories, item_index, sequences, splits

VIEW = "view"
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


def without_unknown(test: list[Session], train: list[Session]) -> tuple[list[Session], int]:
    """`test` without the clicks on items that `train` lacks, and how many those were."""
    known = {item for session in train for item in session.items}
    kept = []
    for session in test:
        pairs = [p for p in zip(session.items, session.seconds, strict=True) if p[0] in known]
        if pairs:
            items, seconds = zip(*pairs, strict=True)
            kept.append(Session(session.id, items, seconds))
    return kept, sum(len(s.items) for s in test) - sum(len(s.items) for s in kept)


def write(lake: Lake, train: list[Session], test: list[Session], config: Config) -> None:
    """`item_index` of `train`, and `sequences` with the last day of it as validation."""
    spark, rules = lake.spark, config.sequences
    run_date = _time(test[-1].seconds[-1]).date() + timedelta(days=1)
    to_learn, to_test = (_frame(spark, part) for part in (train, test))
    lake.create(ITEM_INDEX)
    lake.add_missing(ITEM_INDEX, item_index.new_items(to_learn, lake.read(ITEM_INDEX), run_date))
    lake.versions.pop(ITEM_INDEX.name)  # read anew: it has just been filled
    types = histories.type_vocabulary(config.source.vocabulary)
    index = lake.read(ITEM_INDEX)
    learnt, tested = (
        histories.build(rows, index, types, rules.grain, run_date) for rows in (to_learn, to_test)
    )
    held_out = F.col(c.END_TS) > F.lit(_time(cutoff(train)))
    split = (
        splits.whole(learnt.where(~held_out), splits.TRAIN)
        .unionByName(splits.whole(learnt, splits.TRAIN_AND_VALIDATION))
        .unionByName(splits.every_position(learnt.where(held_out), splits.VALIDATION))
        .unionByName(splits.every_position(tested, splits.TEST))
    )
    repeats_count = F.array().cast("array<int>")  # so nothing that was seen is out of the ranking
    model_input = sequences.build(split, rules).withColumn(c.SEEN, repeats_count).persist()
    checks.require_unique(model_input, SEQUENCES.key, SEQUENCES.name)
    lake.replace(SEQUENCES, sequences.spread(model_input, rules.row_groups))
    model_input.unpersist()


def _frame(spark: SparkSession, found: list[Session]) -> DataFrame:
    return spark.createDataFrame([_row(session) for session in found], SESSIONS.schema)


def _row(session: Session) -> Mapping[str, object]:
    times = [_time(seconds) for seconds in session.seconds]
    return {
        c.SESSION_ID: session.id,
        c.SITE: "bench",
        c.SESSION_USER: session.id,
        c.OPENED_TS: times[0],
        c.PART: 1,
        c.START_TS: times[0],
        c.END_TS: times[-1],
        c.N_EVENTS: len(times),
        c.ITEM_IDS: list(session.items),
        c.EVENT_TYPES: [VIEW] * len(times),
        c.EVENT_TIMES: times,
        c.IS_BOT: False,
        c.SESSION_DATE: times[0].date(),
        c.STITCHED_USER_ID: None,
    }


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
