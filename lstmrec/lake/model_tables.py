"""The tables of the model's side: what it learns from, what came of it. See tables.py for all others."""

from typing import Final

from pyspark.sql.types import MapType

from lstmrec import columns as c
from lstmrec.lake.table import (
    DATE,
    DOUBLE,
    INT,
    LONG,
    STRING,
    WRITES_BY_PARTITION,
    Table,
    array_of,
    schema_of,
)

ITEM_INDEX: Final = Table(
    name="item_index",
    grain="item ever seen in a session, with its dense index; append-only",
    schema=schema_of({c.ITEM_ID: STRING, c.ITEM_INDEX: INT, "added_on": DATE}, {}),
    key=(c.ITEM_ID,),
    constraints={"index_after_padding": f"{c.ITEM_INDEX} > {c.PAD}"},
)


SEQUENCES: Final = Table(
    name="sequences",
    grain="model input row of one split: a window of a user's or session's items, padded on the right",
    schema=schema_of(
        {
            c.SPLIT: STRING,
            c.SEQUENCE_ID: STRING,
            c.USER_ID: STRING,
            c.WINDOW: INT,
            c.ITEMS: array_of(INT),
            c.TYPES: array_of(INT),
            c.GAPS: array_of(INT),
            c.LENGTH: INT,
            c.TARGET: INT,
            c.SEEN: array_of(INT),
            c.PADDED_LENGTH: INT,
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
            c.MODEL_VERSION: STRING,
            c.RUN_DATE: DATE,
            "stage": STRING,
            "artifact": STRING,
            "code_version": STRING,
            "config": STRING,
            "table_versions": MapType(STRING, LONG),
            "n_items": INT,
            "index_fingerprint": STRING,
            "processes": INT,
            "best_epoch": INT,
            "metrics": MapType(STRING, DOUBLE),
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
            c.RUN_DATE: DATE,
            "model": STRING,
            "dataset": STRING,
            "slice": STRING,
            "metric": STRING,
            "k": INT,
            "value": DOUBLE,
            "ci_low": DOUBLE,
            "ci_high": DOUBLE,
            "n_users": LONG,
        },
        {c.MODEL_VERSION: STRING},
    ),
    key=(c.RUN_DATE, "model", "dataset", "slice", "metric", "k"),
    partition=(c.RUN_DATE,),
    properties=WRITES_BY_PARTITION,
)
