"""What a benchmark of quality writes into its scratch lake, as the jobs do: `item_index` and `sequences`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pyspark.sql import DataFrame

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake import checks
from lstmrec.lake.model_tables import ITEM_INDEX, SEQUENCES
from lstmrec.lake.store import Lake
from lstmrec.prepare import histories, item_index, sequences

VIEW = "view"


def session(name: str, items: Sequence[str], times: Sequence[datetime]) -> dict[str, Any]:
    """A row of `sessions`: what somebody viewed, who is known by the session alone."""
    return {
        c.SESSION_ID: name,
        c.SITE: "bench",
        c.SESSION_USER: name,
        c.OPENED_TS: times[0],
        c.PART: 1,
        c.START_TS: times[0],
        c.END_TS: times[-1],
        c.N_EVENTS: len(items),
        c.ITEM_IDS: list(items),
        c.EVENT_TYPES: [VIEW] * len(items),
        c.EVENT_TIMES: list(times),
        c.IS_BOT: False,
        c.SESSION_DATE: times[0].date(),
        c.STITCHED_USER_ID: None,
    }


def fill_index(lake: Lake, sessions: DataFrame, day: date) -> None:
    """Write `item_index` of these sessions; what reads it afterwards reads it anew."""
    lake.create(ITEM_INDEX)
    lake.add_missing(ITEM_INDEX, item_index.new_items(sessions, lake.read(ITEM_INDEX), day))
    lake.versions.pop(ITEM_INDEX.name)


def histories_of(lake: Lake, sessions: DataFrame, config: Config, day: date) -> DataFrame:
    """The histories in these sessions, by the configured grain."""
    types = histories.type_vocabulary(config.source.vocabulary)
    return histories.build(sessions, lake.read(ITEM_INDEX), types, config.sequences.grain, day)


def write_sequences(lake: Lake, model_input: DataFrame, config: Config) -> None:
    rows = model_input.persist()
    checks.require_unique(rows, SEQUENCES.key, SEQUENCES.name)
    lake.replace(SEQUENCES, sequences.spread(rows, config.sequences.row_groups))
    rows.unpersist()
