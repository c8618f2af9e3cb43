"""A file of item sequences (a line a user: user id, then item ids, oldest first) as tables of a scratch lake.

The file tells no times: the place in the line stands for them, a second an item, so pauses say nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake import checks
from lstmrec.lake.model_tables import ITEM_INDEX, SEQUENCES
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import SESSIONS
from lstmrec.prepare import histories, item_index, sequences, splits

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
LAST_DAY = date(2026, 1, 31)  # room for 2.6 million items a user
VIEW = "view"


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
    lake.create(ITEM_INDEX)
    lake.add_missing(ITEM_INDEX, item_index.new_items(rows, lake.read(ITEM_INDEX), LAST_DAY))
    lake.versions.pop(ITEM_INDEX.name)  # read anew: it has just been filled
    rules, types = config.sequences, histories.type_vocabulary(config.source.vocabulary)
    owned = histories.build(rows, lake.read(ITEM_INDEX), types, rules.grain, LAST_DAY)
    model_input = sequences.build(splits.leave_one_out(owned, rules.min_length), rules).persist()
    checks.require_unique(model_input, SEQUENCES.key, SEQUENCES.name)
    lake.replace(SEQUENCES, sequences.spread(model_input, rules.row_groups))
    model_input.unpersist()


def _session(user: str, items: Sequence[str]) -> dict[str, object]:
    times = [FIRST + timedelta(seconds=place) for place in range(len(items))]
    return {
        c.SESSION_ID: user,
        c.SITE: "bench",
        c.SESSION_USER: user,
        c.OPENED_TS: times[0],
        c.PART: 1,
        c.START_TS: times[0],
        c.END_TS: times[-1],
        c.N_EVENTS: len(items),
        c.ITEM_IDS: list(items),
        c.EVENT_TYPES: [VIEW] * len(items),
        c.EVENT_TIMES: times,
        c.IS_BOT: False,
        c.SESSION_DATE: FIRST.date(),
        c.STITCHED_USER_ID: None,
    }
