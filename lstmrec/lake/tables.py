"""Every table of the lake: grain, schema, key, partitioning, constraints. Times are UTC, in microseconds."""

from typing import Final

from pyspark.sql.types import MapType

from lstmrec import columns as c
from lstmrec.lake.list_tables import ITEM_RULES, RECOMMENDATION_RUNS, RECOMMENDATIONS, RULESETS
from lstmrec.lake.model_tables import COMPARISONS, ITEM_INDEX, METRICS, MODEL_RUNS, SEQUENCES
from lstmrec.lake.outcome_tables import OUTCOMES
from lstmrec.lake.table import (
    BOOL,
    DATE,
    DOUBLE,
    INT,
    LONG,
    STRING,
    TIME,
    WRITES_BY_PARTITION,
    Table,
    array_of,
    schema_of,
)

EVENTS: Final = Table(
    name="events",
    grain="accepted event, with its status flags",
    schema=schema_of(
        {
            c.EVENT_KEY: STRING,
            c.SITE: STRING,
            c.SESSION_USER: STRING,
            c.ITEM_ID: STRING,
            c.EVENT_TYPE: STRING,
            c.EVENT_TS: TIME,
            c.RECEIVED_TS: TIME,
            c.CLOCK: STRING,
            c.STATUS: STRING,
            c.IS_BOT: BOOL,
            c.WEIGHT: DOUBLE,
            c.PAYLOAD_HASH: STRING,
            c.EVENT_DATE: DATE,
        },
        {
            c.EVENT_ID: STRING,
            c.DEVICE_ID: STRING,
            c.USER_ID: STRING,
            c.CREATED_TS: TIME,
            c.SENT_TS: TIME,
            c.USER_AGENT: STRING,
        },
    ),
    key=(c.EVENT_KEY,),
    partition=(c.EVENT_DATE,),
    constraints={
        "status_known": f"{c.STATUS} IN ('accepted', 'late')",
        "date_of_event": f"{c.EVENT_DATE} = CAST({c.EVENT_TS} AS DATE)",
    },
    properties={
        **WRITES_BY_PARTITION,
        "delta.enableChangeDataFeed": "true",  # build_sessions cuts anew what changed
    },
)

EVENTS_QUARANTINE: Final = Table(
    name="events_quarantine",
    grain="distinct rejected row: the reason, and the whole payload (of an id conflict the earliest copy's)",
    schema=schema_of(
        {c.ROW_HASH: STRING, c.REASON: STRING, c.PAYLOAD: STRING},
        {c.SOURCE_FILE: STRING, c.RECEIVED_TS: TIME, c.SENT_TS: TIME},
    ),
    key=(c.ROW_HASH,),
    partition=(c.REASON,),
    properties=WRITES_BY_PARTITION,
)

INGESTED_FILES: Final = Table(
    name="ingested_files",
    grain="file that a run of a job claimed to ingest",
    schema=schema_of(
        {
            c.JOB: STRING,
            "path": STRING,
            "size_bytes": LONG,
            c.RUN_ID: STRING,
            c.RUN_DATE: DATE,
            "events_version": LONG,
        },
        {},
    ),
    key=(c.JOB, "path", "size_bytes"),
)

_ENDS_AFTER_IT_BEGAN: Final = {
    "ends_after_it_began": f"{c.VALID_TO} IS NULL OR {c.VALID_FROM} < {c.VALID_TO}",
}

ITEMS: Final = Table(
    name="items",
    grain="item of the catalogue and stretch of days, up to but without valid_to, in which it was the same",
    schema=schema_of(
        {c.ITEM_ID: STRING, c.ATTRIBUTES: MapType(STRING, STRING), c.VALID_FROM: DATE},
        {"title": STRING, c.CATEGORIES: array_of(STRING), c.VALID_TO: DATE},
    ),
    key=(c.ITEM_ID, c.VALID_FROM),
    constraints=_ENDS_AFTER_IT_BEGAN,
)

USERS: Final = Table(
    name="users",
    grain="known user and stretch of days, up to but without valid_to, in which the same was known",
    schema=schema_of(
        {c.USER_ID: STRING, c.ATTRIBUTES: MapType(STRING, STRING), c.VALID_FROM: DATE}, {c.VALID_TO: DATE}
    ),
    key=(c.USER_ID, c.VALID_FROM),
    constraints=_ENDS_AFTER_IT_BEGAN,
)

CATALOGUE_QUARANTINE: Final = Table(
    name="catalogue_quarantine",
    grain="distinct line of the catalogue or users file that is no record: the reason and the whole line",
    schema=schema_of({c.ROW_HASH: STRING, c.SOURCE: STRING, c.REASON: STRING, c.PAYLOAD: STRING}, {}),
    key=(c.ROW_HASH,),
)

SESSIONS: Final = Table(
    name="sessions",
    grain="session, or part of one that was over the caps: its events' items in order",
    schema=schema_of(
        {
            c.SESSION_ID: STRING,
            c.SITE: STRING,
            c.SESSION_USER: STRING,
            c.OPENED_TS: TIME,
            c.PART: INT,
            c.START_TS: TIME,
            c.END_TS: TIME,
            c.N_EVENTS: INT,
            c.ITEM_IDS: array_of(STRING),
            c.EVENT_TYPES: array_of(STRING),
            c.EVENT_TIMES: array_of(TIME),
            c.IS_BOT: BOOL,
            c.SESSION_DATE: DATE,
        },
        {c.STITCHED_USER_ID: STRING},
    ),
    key=(c.SESSION_ID,),
    partition=(c.SESSION_DATE,),
    properties=WRITES_BY_PARTITION,
    constraints={
        "one_item_an_event": f"size({c.ITEM_IDS}) = {c.N_EVENTS} AND size({c.EVENT_TIMES}) = {c.N_EVENTS}",
        "starts_before_it_ends": f"{c.OPENED_TS} <= {c.START_TS} AND {c.START_TS} <= {c.END_TS}",
    },
)

RUN_ACCOUNTING: Final = Table(
    name="run_accounting",
    grain="run, job and outcome: how many rows came to it",
    schema=schema_of(
        {c.RUN_ID: STRING, c.RUN_DATE: DATE, c.JOB: STRING, c.OUTCOME: STRING, c.N_ROWS: LONG}, {}
    ),
    key=(c.RUN_ID, c.JOB, c.OUTCOME),
    partition=(c.RUN_DATE,),
    properties=WRITES_BY_PARTITION,
)

ALL: Final = (
    EVENTS,
    EVENTS_QUARANTINE,
    INGESTED_FILES,
    ITEMS,
    USERS,
    CATALOGUE_QUARANTINE,
    SESSIONS,
    ITEM_INDEX,
    SEQUENCES,
    MODEL_RUNS,
    METRICS,
    COMPARISONS,
    ITEM_RULES,
    RULESETS,
    RECOMMENDATIONS,
    RECOMMENDATION_RUNS,
    OUTCOMES,
    RUN_ACCOUNTING,
)
