"""The tables of the lists: what is offered to whom and why, by which rules, and whether it was published."""

from typing import Final

from pyspark.sql.types import ArrayType, MapType

from lstmrec import columns as c
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

RECOMMENDATIONS: Final = Table(
    name="recommendations",
    grain="user and rank of one run date",
    schema=schema_of(
        {
            c.RUN_DATE: DATE,
            c.USER_ID: STRING,
            c.RANK: INT,
            c.ITEM_ID: STRING,
            c.SCORE: DOUBLE,
            c.SOURCE: STRING,
            c.REASON_CODE: STRING,
            c.REASON_ITEM_IDS: array_of(STRING),
            c.PROPENSITY: DOUBLE,
            c.MODEL_VERSION: STRING,
            c.RULESET_VERSION: STRING,
            "table_versions": MapType(STRING, LONG),
            "scored_at": TIME,
            "expires_at": TIME,
        },
        {},
    ),
    key=(c.RUN_DATE, c.USER_ID, c.RANK),
    partition=(c.RUN_DATE,),
    properties=WRITES_BY_PARTITION,
    constraints={
        "source_known": f"{c.SOURCE} IN ('model', 'segment', 'popular', 'explore', 'promoted')",
        "propensity_is_a_share": f"{c.PROPENSITY} > 0 AND {c.PROPENSITY} <= 1",
    },
)


ITEM_RULES: Final = Table(
    name="item_rules",
    grain="item, rule and first day that the rule holds; written by people, with SQL",
    schema=schema_of(
        {c.ITEM_ID: STRING, "rule": STRING, c.VALID_FROM: DATE}, {c.VALID_TO: DATE, "note": STRING}
    ),
    key=(c.ITEM_ID, "rule", c.VALID_FROM),
    constraints={"rule_known": "rule IN ('hidden', 'unavailable', 'promoted')"},
)


RULESETS: Final = Table(
    name="rulesets",
    grain="version of the rules that lists were made by",
    schema=schema_of({c.RULESET_VERSION: STRING, "rules": STRING, "first_run_date": DATE}, {}),
    key=(c.RULESET_VERSION,),
)


RECOMMENDATION_RUNS: Final = Table(
    name="recommendation_runs",
    grain="run date, model and ruleset that lists were made for, with the verdicts of the newest attempt",
    schema=schema_of(
        {
            c.RUN_ID: STRING,
            c.RUN_DATE: DATE,
            "is_published": BOOL,
            c.MODEL_VERSION: STRING,
            c.RULESET_VERSION: STRING,
            "n_users": LONG,
            "n_rows": LONG,
            "rows_by_source": MapType(STRING, LONG),
            "verdicts": ArrayType(
                # Delta takes no NOT NULL within an array
                schema_of(
                    {}, {"rule": STRING, "value": DOUBLE, "limit": STRING, "is_met": BOOL, "told": STRING}
                ),
                containsNull=False,
            ),
        },
        {
            "artifact": STRING,
            "code_version": STRING,
            "config": STRING,
            "table_versions": MapType(STRING, LONG),
            "seconds": DOUBLE,
        },
    ),
    key=(c.RUN_ID,),
)
