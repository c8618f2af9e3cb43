"""The tables and views by name, for people who query: what is current, and what it is called."""

from typing import Final

from pyspark.sql import DataFrame

from lstmrec.lake.store import Lake
from lstmrec.lake.tables import ALL

VIEWS: Final = {
    # A write of a day is one commit, and a query reads one version of a table: lists of one day, whole
    "recommendations_current": """
        SELECT * FROM recommendations WHERE run_date = (SELECT max(run_date) FROM recommendations)
    """,
    "recommendations_with_titles": """
        WITH given AS (
            SELECT run_date, user_id, rank, posexplode(reason_item_ids) AS (place, had_id)
            FROM recommendations_current
        ),
        because AS (
            SELECT g.run_date, g.user_id, g.rank,
                   concat_ws(' and ', transform(
                       array_sort(collect_list(struct(g.place, coalesce(i.title, g.had_id) AS title))),
                       had -> had.title
                   )) AS had
            FROM given g LEFT JOIN items i ON i.item_id = g.had_id AND i.valid_from <= g.run_date
                 AND (i.valid_to IS NULL OR i.valid_to > g.run_date)
            GROUP BY g.run_date, g.user_id, g.rank
        )
        SELECT r.*, i.title,
               CASE r.reason_code
                   WHEN 'like_your_history' THEN coalesce('Because you had ' || b.had, 'From what you had')
                   WHEN 'promoted' THEN coalesce('Promoted, and like ' || b.had, 'Promoted')
                   WHEN 'explored' THEN 'To find out whether you like it'
                   WHEN 'popular_in_segment' THEN 'Popular with people like you'
                   ELSE 'Popular now'
               END AS reason
        FROM recommendations_current r
        LEFT JOIN because b USING (run_date, user_id, rank)
        LEFT JOIN items i ON i.item_id = r.item_id AND i.valid_from <= r.run_date
             AND (i.valid_to IS NULL OR i.valid_to > r.run_date)
    """,
}
"""View -> its query, over tables and over views above it, by their bare names."""

MEANINGS: Final = {
    "recommendations_current": "the lists of the newest run date",
    "recommendations_with_titles": "the same, each item with its title and its reason in words",
}
"""View -> what it holds."""


def register(lake: Lake, database: str) -> list[str]:
    """Name all tables of the lake, and the views over them, in a database of the session's catalog.

    What has these names is named anew; no row is touched. The names, in order.
    """
    spark = lake.spark
    here = spark.catalog.currentDatabase()
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {database}")
    spark.sql(f"USE {database}")
    try:
        tables = [table for table in ALL if lake.exists(table)]
        for table in tables:
            location = lake.path(table).replace("'", "''")
            spark.sql(f"DROP TABLE IF EXISTS {table.name}")
            spark.sql(f"CREATE TABLE {table.name} USING delta LOCATION '{location}'")
        for name, query in VIEWS.items():
            spark.sql(f"CREATE OR REPLACE VIEW {name} AS {query}")
    finally:
        spark.sql(f"USE {here}")
    return sorted([*(table.name for table in tables), *VIEWS])


def with_titles(lists: DataFrame, items: DataFrame) -> DataFrame:
    """What `recommendations_with_titles` says of these rows of `recommendations`; nothing is registered."""
    return lists.sparkSession.sql(
        f"""
        WITH recommendations_current AS (SELECT * FROM {{lists}}), items AS (SELECT * FROM {{items}})
        SELECT * FROM ({VIEWS["recommendations_with_titles"]})
        """,
        lists=lists,
        items=items,
    )
