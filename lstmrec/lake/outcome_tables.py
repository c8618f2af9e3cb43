"""The table of what came of lists: who was shown them, clicked and bought. See tables.py for all others."""

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
    explained,
    schema_of,
)

OUTCOMES: Final = Table(
    name="outcomes",
    grain="metric of a date's lists by policy, slice, source, rank and rank limit, measured by one run date",
    schema=explained(
        schema_of(
            {
                c.RUN_DATE: DATE,
                "list_date": DATE,
                "window_days": INT,
                "policy": STRING,
                c.MODEL_VERSION: STRING,
                c.RULESET_VERSION: STRING,
                c.SLICE: STRING,
                c.SOURCE: STRING,
                c.RANK: INT,
                "metric": STRING,
                "k": INT,
                "n": LONG,
                "n_offered": LONG,
                "n_users": LONG,
                "table_versions": MapType(STRING, LONG),
            },
            {"value": DOUBLE, "ci_low": DOUBLE, "ci_high": DOUBLE},
        ),
        {
            c.RUN_DATE: "the run that measured, and the last day of its events; a rerun replaces its rows",
            "list_date": "run date of the lists in recommendations",
            "window_days": "for so many days after scored_at, or until newer lists, events count for a list",
            "policy": "shown: the lists as they were; previous: the lists before them, had they been shown",
            c.MODEL_VERSION: "the model of the lists that the figure is about",
            c.RULESET_VERSION: "their rules, as in rulesets",
            c.SLICE: "all; or which users: cold_user, history_1_to_20, gender=F",
            c.SOURCE: "all; or only items of this source: model, segment, popular, explore, promoted",
            c.RANK: "only items at this rank; 0: at all ranks",
            "metric": "what is measured; docs/outcomes.md has the formulas",
            "k": "the first k items of each list count; 0: all of them",
            "value": "null where n is 0: an empty slice has no rate",
            "ci_low": "lower end of the 95 % interval over users, at least 0; null where all are alike",
            "ci_high": "upper end of the same",
            "n": "what the value is over: places shown, lists shown, clicks or events, as the metric is",
            "n_offered": "the same of the published lists, also of users who never came",
            "n_users": "users that n is of",
            "table_versions": "of the tables that were read",
        },
    ),
    key=(
        c.RUN_DATE,
        "policy",
        c.MODEL_VERSION,
        c.RULESET_VERSION,
        c.SLICE,
        c.SOURCE,
        c.RANK,
        "metric",
        "k",
    ),
    partition=(c.RUN_DATE,),
    properties=WRITES_BY_PARTITION,
    constraints={
        "policy_known": "policy IN ('shown', 'previous')",
        "a_value_is_over_something": "(value IS NULL OR NOT isnan(value)) AND (value IS NULL OR n > 0)",
    },
)
