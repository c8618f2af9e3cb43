"""The lake without Spark: the analysts' environment reads the tables with SQL."""

import json
import subprocess

import pytest
from pyspark.sql import SparkSession

from lstmrec.lake.list_tables import RECOMMENDATIONS
from tests.jobs.shop import ROOT, Shop

pytestmark = pytest.mark.slow

WITH_DELTA_RS = """
import json, sys
from deltalake import DeltaTable, QueryBuilder
lake = sys.argv[1]
query = QueryBuilder()
for name in ("recommendations", "items"):
    query = query.register(name, DeltaTable(f"{lake}/{name}"))
rows = query.execute('''
    SELECT r.user_id AS user_id, r.rank AS rank, i.title AS title
    FROM recommendations r JOIN items i ON i.item_id = r.item_id
    WHERE i.valid_to IS NULL
''').read_all()
print(json.dumps(sorted(zip(*(rows[name].to_pylist() for name in ("user_id", "rank", "title"))))))
"""

WITH_DUCKDB = """
import json, sys
import duckdb
from deltalake import DeltaTable
lake = sys.argv[1]
db = duckdb.connect()
for name in ("recommendations", "items"):
    db.register(name, DeltaTable(f"{lake}/{name}").to_pyarrow_dataset())
print(json.dumps(db.sql('''
    SELECT user_id, rank, title FROM recommendations JOIN items USING (item_id)
    WHERE valid_to IS NULL ORDER BY ALL
''').fetchall()))
"""


@pytest.mark.parametrize("script", [WITH_DELTA_RS, WITH_DUCKDB], ids=["delta-rs", "duckdb"])
def test_analysts_read_the_lists_with_titles_and_no_spark(
    spark: SparkSession, shop: Shop, script: str
) -> None:
    done = subprocess.run(
        [str(ROOT / ".venv-analyst/bin/python"), "-c", script, str(shop.folder / "lake")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours = shop.table(spark, RECOMMENDATIONS).select("user_id", "rank", "item_id").collect()
    titled = [
        [row["user_id"], row["rank"], f"Item {int(row['item_id'].removeprefix('item-'))}"] for row in ours
    ]
    assert json.loads(done.stdout) == sorted(titled)
