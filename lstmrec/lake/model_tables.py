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
    explained,
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
        {c.N_ROWS: LONG, "seconds": DOUBLE},
    ),
    key=(c.MODEL_VERSION,),
)


_OF_A_FIGURE: Final = {
    c.RUN_DATE: "the run that evaluated; a rerun replaces its rows",
    "model": "contender: lstm is the trained model, the others are baselines",
    "dataset": "test: each history's last item is to be foreseen from those before it",
    "slice": "all; or which users: cold_user, history_1_to_20, gender=F; or targets: cold_item, tail_item",
    "metric": "what is measured; docs/metrics.md has the formulas",
    "k": "the first k items of each list count",
    "n_users": "users that the figure is over",
    c.MODEL_VERSION: "the trained model, as in model_runs; null for a baseline",
}

METRICS: Final = Table(
    name="metrics",
    grain="model, dataset, slice, metric and rank limit of one run date, with its confidence interval",
    schema=explained(
        schema_of(
            {
                c.RUN_DATE: DATE,
                "model": STRING,
                "dataset": STRING,
                "slice": STRING,
                "metric": STRING,
                "k": INT,
                "value": DOUBLE,
                "n_users": LONG,
            },
            {"ci_low": DOUBLE, "ci_high": DOUBLE, c.MODEL_VERSION: STRING},
        ),
        {
            **_OF_A_FIGURE,
            "value": "mean over the users; of item_coverage and gini, a figure of all their lists together",
            "ci_low": "lower end of the 95 % interval over users; null for item_coverage and gini",
            "ci_high": "upper end of the same",
        },
    ),
    key=(c.RUN_DATE, "model", "dataset", "slice", "metric", "k"),
    partition=(c.RUN_DATE,),
    properties=WRITES_BY_PARTITION,
)


COMPARISONS: Final = Table(
    name="comparisons",
    grain="model, baseline, dataset, slice, metric and rank limit of one run date: the model's lead",
    schema=explained(
        schema_of(
            {
                c.RUN_DATE: DATE,
                "model": STRING,
                "baseline": STRING,
                "dataset": STRING,
                "slice": STRING,
                "metric": STRING,
                "k": INT,
                "difference": DOUBLE,
                "ci_low": DOUBLE,
                "ci_high": DOUBLE,
                "p_value": DOUBLE,
                "n_users": LONG,
                c.MODEL_VERSION: STRING,
            },
            {},
        ),
        {
            **_OF_A_FIGURE,
            "baseline": "what the model is compared with, on the same users",
            "difference": "the model's mean less the baseline's, as in metrics; above 0 the model is better",
            "ci_low": "lower end of the 95 % interval of the difference",
            "ci_high": "upper end of the same",
            "p_value": "how often chance alone makes so large a difference, either way (randomization test)",
        },
    ),
    key=(c.RUN_DATE, "model", "baseline", "dataset", "slice", "metric", "k"),
    partition=(c.RUN_DATE,),
    properties=WRITES_BY_PARTITION,
)
