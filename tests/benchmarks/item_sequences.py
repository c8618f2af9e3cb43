"""A file of item sequences (a line a user: user id, then item ids, oldest first) as tables of a scratch lake.

The file tells no times: the place in the line stands for them, a second an item, so pauses say nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lstmrec.config import Config
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import SESSIONS
from lstmrec.prepare import sequences, splits
from tests.benchmarks import scratch_tables

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
LAST_DAY = date(2026, 1, 31)  # room for 2.6 million items a user


@dataclass(frozen=True)
class Log:
    """What was read: each user's items, oldest first."""

    users: tuple[str, ...]
    items: tuple[tuple[str, ...], ...]

    @property
    def n_events(self) -> int:
        return sum(len(items) for items in self.items)


def read(path: Path) -> Log:
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    users = tuple(line[0] for line in lines)
    if len(set(users)) != len(users):
        raise SystemExit(f"{path}: a user has two lines")
    return Log(users, tuple(tuple(line[1:]) for line in lines))


def sessions(spark: SparkSession, log: Log) -> DataFrame:
    """Each user's items as one session."""
    rows = [_session(user, items) for user, items in zip(log.users, log.items, strict=True)]
    return spark.createDataFrame(rows, SESSIONS.schema)


def write(lake: Lake, rows: DataFrame, config: Config) -> None:
    """`item_index` and `sequences` of these sessions, as the jobs write them."""
    scratch_tables.fill_index(lake, rows, LAST_DAY)
    rules = config.sequences
    owned = scratch_tables.histories_of(lake, rows, config, LAST_DAY)
    model_input = sequences.build(splits.leave_one_out(owned, rules.min_length), rules)
    scratch_tables.write_sequences(lake, model_input, config)


def _session(user: str, items: Sequence[str]) -> dict[str, Any]:
    times = [FIRST + timedelta(seconds=place) for place in range(len(items))]
    return scratch_tables.session(user, items, times)
