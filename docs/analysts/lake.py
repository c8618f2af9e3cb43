"""The lake in DuckDB, without Spark: every table by its name. Needs deltalake, duckdb and pyarrow."""

from pathlib import Path

import duckdb
from deltalake import DeltaTable

QUERIES = Path(__file__).parent / "queries"

CURRENT = """
    CREATE VIEW recommendations_current AS
    SELECT * FROM recommendations WHERE run_date = (SELECT max(run_date) FROM recommendations)
"""


def open_lake(root: str) -> duckdb.DuckDBPyConnection:
    """A connection that has the Delta tables below the folder `root`, each at its newest version then.

    A table is read when it is asked, and only the columns and files that the question needs. What jobs
    write meanwhile does not show: open the lake again. The view `recommendations_current` is there, too.
    """
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    for folder in sorted(Path(root).iterdir()):
        if DeltaTable.is_deltatable(str(folder)):
            db.register(folder.name, DeltaTable(str(folder)).to_pyarrow_dataset())
            if folder.name == "recommendations":
                db.execute(CURRENT)
    return db


def ask(db: duckdb.DuckDBPyConnection, name: str) -> duckdb.DuckDBPyRelation:
    """The answer to the query of queries/<name>.sql."""
    return db.sql((QUERIES / f"{name}.sql").read_text())
