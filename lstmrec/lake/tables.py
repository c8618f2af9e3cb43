"""Every table of the lake: grain, schema, key, partitioning, constraints. Times are UTC, in microseconds."""

from typing import Final

from pyspark.sql.types import (
    BooleanType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    TimestampType,
)

from lstmrec import columns as c
from lstmrec.lake.table import Table, array_of, schema_of

_STRING, _INT, _LONG, _DOUBLE = StringType(), IntegerType(), LongType(), DoubleType()
_BOOL, _DATE, _TIME = BooleanType(), DateType(), TimestampType()

_ONE_WRITER_A_PARTITION: Final = {
    # without it every task writes a file into each partition that it holds a row of
    "delta.autoOptimize.optimizeWrite": "true",
}

EVENTS: Final = Table(
    name="events",
    grain="accepted event, with its status flags",
    schema=schema_of(
        {
            c.EVENT_KEY: _STRING,
            c.SITE: _STRING,
            c.SESSION_USER: _STRING,
            c.ITEM_ID: _STRING,
            c.EVENT_TYPE: _STRING,
            c.EVENT_TS: _TIME,
            c.RECEIVED_TS: _TIME,
            c.CLOCK: _STRING,
            c.STATUS: _STRING,
            c.IS_BOT: _BOOL,
            c.WEIGHT: _DOUBLE,
            c.PAYLOAD_HASH: _STRING,
            c.EVENT_DATE: _DATE,
        },
        {
            c.EVENT_ID: _STRING,
            c.DEVICE_ID: _STRING,
            c.USER_ID: _STRING,
            c.CREATED_TS: _TIME,
            c.SENT_TS: _TIME,
            c.USER_AGENT: _STRING,
        },
    ),
    key=(c.EVENT_KEY,),
    partition=(c.EVENT_DATE,),
    constraints={
        "status_known": f"{c.STATUS} IN ('accepted', 'late')",
        "date_of_event": f"{c.EVENT_DATE} = CAST({c.EVENT_TS} AS DATE)",
    },
    properties={
        **_ONE_WRITER_A_PARTITION,
        "delta.enableChangeDataFeed": "true",  # build_sessions cuts anew what changed
    },
)

EVENTS_QUARANTINE: Final = Table(
    name="events_quarantine",
    grain="distinct rejected row: the reason, and the whole payload (of an id conflict the earliest copy's)",
    schema=schema_of(
        {c.ROW_HASH: _STRING, c.REASON: _STRING, c.PAYLOAD: _STRING},
        {c.SOURCE_FILE: _STRING, c.RECEIVED_TS: _TIME, c.SENT_TS: _TIME},
    ),
    key=(c.ROW_HASH,),
    partition=(c.REASON,),
    properties=_ONE_WRITER_A_PARTITION,
)

INGESTED_FILES: Final = Table(
    name="ingested_files",
    grain="file that a run of a job claimed to ingest",
    schema=schema_of(
        {
            c.JOB: _STRING,
            "path": _STRING,
            "size_bytes": _LONG,
            c.RUN_ID: _STRING,
            c.RUN_DATE: _DATE,
            "events_version": _LONG,
        },
        {},
    ),
    key=(c.JOB, "path", "size_bytes"),
)

ITEMS: Final = Table(
    name="items",
    grain="item of the catalogue",
    schema=schema_of(
        {c.ITEM_ID: _STRING, "attributes": MapType(_STRING, _STRING)},
        {"title": _STRING, "categories": array_of(_STRING)},
    ),
    key=(c.ITEM_ID,),
)

USERS: Final = Table(
    name="users",
    grain="known user",
    schema=schema_of({c.USER_ID: _STRING, "attributes": MapType(_STRING, _STRING)}, {}),
    key=(c.USER_ID,),
)

SESSIONS: Final = Table(
    name="sessions",
    grain="session, or part of one that was over the caps: its events' items in order",
    schema=schema_of(
        {
            c.SESSION_ID: _STRING,
            c.SITE: _STRING,
            c.SESSION_USER: _STRING,
            c.OPENED_TS: _TIME,
            c.PART: _INT,
            c.START_TS: _TIME,
            c.END_TS: _TIME,
            c.N_EVENTS: _INT,
            c.ITEM_IDS: array_of(_STRING),
            c.EVENT_TYPES: array_of(_STRING),
            c.EVENT_TIMES: array_of(_TIME),
            c.IS_BOT: _BOOL,
            c.SESSION_DATE: _DATE,
        },
        {c.STITCHED_USER_ID: _STRING},
    ),
    key=(c.SESSION_ID,),
    partition=(c.SESSION_DATE,),
    properties=_ONE_WRITER_A_PARTITION,
    constraints={
        "one_item_an_event": f"size({c.ITEM_IDS}) = {c.N_EVENTS} AND size({c.EVENT_TIMES}) = {c.N_EVENTS}",
        "starts_before_it_ends": f"{c.OPENED_TS} <= {c.START_TS} AND {c.START_TS} <= {c.END_TS}",
    },
)

ITEM_INDEX: Final = Table(
    name="item_index",
    grain="item ever seen in a session, with its dense index; append-only",
    schema=schema_of({c.ITEM_ID: _STRING, c.ITEM_INDEX: _INT, "added_on": _DATE}, {}),
    key=(c.ITEM_ID,),
    constraints={"index_after_padding": f"{c.ITEM_INDEX} > {c.PAD}"},
)

SEQUENCES: Final = Table(
    name="sequences",
    grain="model input row of one split: a window of a user's or session's items, padded on the right",
    schema=schema_of(
        {
            c.SPLIT: _STRING,
            c.SEQUENCE_ID: _STRING,
            c.USER_ID: _STRING,
            c.WINDOW: _INT,
            c.ITEMS: array_of(_INT),
            c.TYPES: array_of(_INT),
            c.GAPS: array_of(_INT),
            c.LENGTH: _INT,
            c.TARGET: _INT,
            c.SEEN: array_of(_INT),
            c.PADDED_LENGTH: _INT,
        },
        {},
    ),
    key=(c.SPLIT, c.SEQUENCE_ID, c.WINDOW),
    partition=(c.SPLIT, c.PADDED_LENGTH),
    keeps_layout=True,  # ranks share the work by row group, one a file: put together they would be too few
    constraints={
        "one_length_a_bucket": f"size({c.ITEMS}) = {c.PADDED_LENGTH} AND {c.LENGTH} <= {c.PADDED_LENGTH}",
    },
)

MODEL_RUNS: Final = Table(
    name="model_runs",
    grain="training run",
    schema=schema_of(
        {
            c.MODEL_VERSION: _STRING,
            c.RUN_DATE: _DATE,
            "stage": _STRING,
            "artifact": _STRING,
            "code_version": _STRING,
            "config": _STRING,
            "table_versions": MapType(_STRING, _LONG),
            "n_items": _INT,
            "index_fingerprint": _STRING,
            "processes": _INT,
            "best_epoch": _INT,
            "metrics": MapType(_STRING, _DOUBLE),
        },
        {},
    ),
    key=(c.MODEL_VERSION,),
)

METRICS: Final = Table(
    name="metrics",
    grain="model, dataset, slice, metric and rank limit of one run date, with its confidence interval",
    schema=schema_of(
        {
            c.RUN_DATE: _DATE,
            "model": _STRING,
            "dataset": _STRING,
            "slice": _STRING,
            "metric": _STRING,
            "k": _INT,
            "value": _DOUBLE,
            "ci_low": _DOUBLE,
            "ci_high": _DOUBLE,
            "n_users": _LONG,
        },
        {c.MODEL_VERSION: _STRING},
    ),
    key=(c.RUN_DATE, "model", "dataset", "slice", "metric", "k"),
    partition=(c.RUN_DATE,),
    properties=_ONE_WRITER_A_PARTITION,
)

RECOMMENDATIONS: Final = Table(
    name="recommendations",
    grain="user and rank of one run date",
    schema=schema_of(
        {
            c.RUN_DATE: _DATE,
            c.USER_ID: _STRING,
            c.RANK: _INT,
            c.ITEM_ID: _STRING,
            c.SCORE: _DOUBLE,
            c.SOURCE: _STRING,
            c.MODEL_VERSION: _STRING,
        },
        {},
    ),
    key=(c.RUN_DATE, c.USER_ID, c.RANK),
    partition=(c.RUN_DATE,),
    properties=_ONE_WRITER_A_PARTITION,
    constraints={"source_known": f"{c.SOURCE} IN ('model', 'popular')"},
)

RUN_ACCOUNTING: Final = Table(
    name="run_accounting",
    grain="run, job and outcome: how many rows came to it",
    schema=schema_of(
        {c.RUN_ID: _STRING, c.RUN_DATE: _DATE, c.JOB: _STRING, c.OUTCOME: _STRING, c.N_ROWS: _LONG}, {}
    ),
    key=(c.RUN_ID, c.JOB, c.OUTCOME),
    partition=(c.RUN_DATE,),
    properties=_ONE_WRITER_A_PARTITION,
)

ALL: Final = (
    EVENTS,
    EVENTS_QUARANTINE,
    INGESTED_FILES,
    ITEMS,
    USERS,
    SESSIONS,
    ITEM_INDEX,
    SEQUENCES,
    MODEL_RUNS,
    METRICS,
    RECOMMENDATIONS,
    RUN_ACCOUNTING,
)
