"""docs/tables.md is what the contracts say; to write it anew: python -m tests.lake.test_tables_page."""

from pathlib import Path

from pyspark.sql.types import StructField

from lstmrec.lake import glossary
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from lstmrec.lake.tables import ALL, SESSIONS
from lstmrec.lake.views import MEANINGS, VIEWS

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"
HEAD = """# Tables and views

Written from the contracts in `lstmrec/lake/`, and held to them by a test. `DESCRIBE TABLE` shows the same.
Times are UTC. Every table is a folder of that name below `lake.root`, in Delta format; `register_tables`
gives it its name in Spark. A column with ? may be null.
"""


def of_table(table: Table) -> list[str]:
    told = [f"One row per {table.grain}.", f"Key: {', '.join(table.key)}."]
    told += [f"Partitioned by {', '.join(table.partition)}."] if table.partition else []
    rows = [
        f"| `{field.name}`{'?' * field.nullable} | {kind(field)} | {glossary.meaning(table, field)} |"
        for field in table.schema
    ]
    return ["", f"## {table.name}", "", " ".join(told), "", "| column | type | |", "|---|---|---|", *rows]


def kind(field: StructField) -> str:
    return field.dataType.simpleString().replace("bigint", "long")


def page() -> str:
    lines = [line for table in ALL for line in of_table(table)]
    views = [f"- `{name}`: {MEANINGS[name]}" for name in VIEWS]
    return "\n".join(
        [
            HEAD.rstrip(),
            *lines,
            "",
            "## Views",
            "",
            "In Spark, by `register_tables`; the first also in DuckDB, by `docs/analysts/lake.py`.",
            "",
            *views,
            "",
        ]
    )


def test_the_page_of_tables_is_what_the_contracts_say() -> None:
    assert PAGE.read_text() == page()


def test_the_glossary_has_no_word_that_no_table_uses() -> None:
    columns = {name for table in ALL for name in table.columns}
    qualified = {f"{table.name}.{name}" for table in ALL for name in table.columns}
    assert glossary.names() <= columns | qualified


def test_a_tables_columns_are_explained_where_it_is_described(lake: Lake) -> None:
    lake.create(SESSIONS)
    rows = lake.spark.sql(f"DESCRIBE TABLE delta.`{lake.path(SESSIONS)}`").collect()
    told = {row["col_name"]: row["comment"] for row in rows if row["comment"]}
    assert told["end_ts"] == "its last event"
    assert set(SESSIONS.columns) <= set(told)


if __name__ == "__main__":
    PAGE.write_text(page())
