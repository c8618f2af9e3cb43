"""Read tables at a pinned version and write them in one commit each: the only caller of Delta's API."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from delta.tables import DeltaMergeBuilder, DeltaTable
from pyspark.sql import DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lstmrec import columns as c
from lstmrec.errors import BadInput, BrokenContract
from lstmrec.lake import glossary
from lstmrec.lake.conflicts import one_wins
from lstmrec.lake.settings import session_settings
from lstmrec.lake.table import Table

Remark = Mapping[str, Any]
"""What a commit keeps beside its rows, as JSON: a later run of the same job can read it."""

NOTHING: Final[Remark] = {}

_GONE: Final = "_gone"


class Lake:
    """The tables under one root, as one run sees them.

    The first read of a table pins its newest version for the run: whatever is written meanwhile,
    the run goes on seeing that version. `versions` tells what was pinned, for the run's record.
    """

    def __init__(self, spark: SparkSession, root: str, note: Mapping[str, str]) -> None:
        self.spark = spark
        # Delta takes no relative location; an absolute one or a URI is left for the cluster to resolve
        self.root = (root if "://" in root else str(Path(root).absolute())).rstrip("/")
        self.versions: dict[str, int] = {}
        self._note = note

    def path(self, table: Table) -> str:
        return f"{self.root}/{table.name}"

    def exists(self, table: Table) -> bool:
        return DeltaTable.isDeltaTable(self.spark, self.path(table))

    def version(self, table: Table) -> int:
        """The newest committed version of `table`."""
        self._require(table)
        newest = self.delta(table).history(1).select("version").head()
        if newest is None:
            raise BrokenContract(
                f"{table.name}: {self.path(table)} has no commit; restore the table's _delta_log"
            )
        return int(newest["version"])

    def read(self, table: Table) -> DataFrame:
        """Rows of `table` at the version pinned for this run.

        Raises
        ------
        BadInput
            Where there is no such table: names the job that writes it.
        BrokenContract
            Where a column is missing, unexpected, or of another type.
        """
        if table.name not in self.versions:
            self.versions[table.name] = self.version(table)
        return self.read_version(table, self.versions[table.name])

    def read_version(self, table: Table, version: int) -> DataFrame:
        rows = self.spark.read.format("delta").option("versionAsOf", version).load(self.path(table))
        _require_schema(rows.schema, table, self.path(table))
        return rows.select(*table.columns)

    def create(self, table: Table) -> None:
        """Make `table`, empty, with all that it promises; where it stands already, do nothing."""
        if self.exists(table):
            return
        constraints = {
            f"delta.constraints.{name}": condition for name, condition in table.constraints.items()
        }
        builder = (
            DeltaTable.createIfNotExists(self.spark)
            .location(self.path(table))
            .addColumns(glossary.commented(table))
            .partitionedBy(*table.partition)
            .comment(f"One row per {table.grain}.")
        )
        for name, value in {**table.delta_properties, **constraints}.items():
            builder = builder.property(name, value)
        builder.execute()

    def replace(self, table: Table, rows: DataFrame, remark: Remark = NOTHING) -> None:
        """Make `rows` the whole of `table`, in one commit; the commit keeps `remark`."""
        with one_wins(table):
            self._writer(table, rows, remark).save(self.path(table))

    def replace_date(self, table: Table, rows: DataFrame, run_date: date) -> None:
        """Make `rows` all that `table` holds of `run_date`, in one commit; other dates stay."""
        self._overwrite(table, rows, f"{c.RUN_DATE} = DATE'{run_date.isoformat()}'")

    def replace_run(self, table: Table, rows: DataFrame, run_date: date, run_id: str) -> None:
        """Make `rows` all that `table` holds of one run, in one commit."""
        self._overwrite(
            table, rows, f"{c.RUN_DATE} = DATE'{run_date.isoformat()}' AND {c.RUN_ID} = '{run_id}'"
        )

    def append(self, table: Table, rows: DataFrame) -> None:
        self.create(table)
        self.sign()
        with one_wins(table):
            self._fitted(table, rows).write.format("delta").mode("append").save(self.path(table))

    def append_once(self, table: Table, rows: DataFrame, run_id: str) -> None:
        """Add `rows`, unless this run's rows were added before: a second attempt changes nothing."""
        self.create(table)
        self.sign()
        append = self._fitted(table, rows).write.format("delta").mode("append")
        with one_wins(table):
            append.options(**_transaction(run_id)).save(self.path(table))

    def upsert(self, table: Table, rows: DataFrame) -> None:
        """Put `rows` into `table` by its key: a row with a known key replaces the stored one."""
        with one_wins(table):
            self._merge(table, rows).whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()

    def upsert_once(self, table: Table, rows: DataFrame, within: str, run_id: str) -> None:
        """The same, unless this run's rows were put there before, and looking at a part of the table only.

        `within` is a condition on the partition columns of `stored` that holds for every stored row with
        one of the keys.
        """
        merge = self._merge(table, rows, within)
        once = {f"spark.databricks.delta.write.{name}": value for name, value in _transaction(run_id).items()}
        with session_settings(self.spark, once), one_wins(table):
            merge.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()

    def amend(
        self,
        table: Table,
        rows: DataFrame,
        gone: DataFrame,
        within: str,
        update_if: str,
        remark: Remark = NOTHING,
    ) -> None:
        """Put `rows` into `table` and take the keys of `gone` out of it, in one commit.

        Stored rows outside `within`, a condition on partition columns, are not looked at: no row that
        is to be changed or taken out may lie there. A row with a known key replaces the stored one
        where `update_if`, on the columns of `stored` and `new`, holds. The commit keeps `remark`.
        """
        self.create(table)
        fitted = self._fitted(table, rows).withColumn(_GONE, F.lit(False))
        tombstones = gone.select(*table.key).withColumn(_GONE, F.lit(True))
        both = fitted.unionByName(tombstones, allowMissingColumns=True)
        merge = (
            self._merge_frame(table, both, within, remark)
            .whenMatchedDelete(f"new.{_GONE}")
            .whenMatchedUpdateAll(update_if)
            .whenNotMatchedInsertAll(f"NOT new.{_GONE}")
        )
        with one_wins(table):
            merge.execute()

    def add_missing(self, table: Table, rows: DataFrame) -> None:
        """Put those of `rows` into `table` whose key it does not hold; stored rows never change."""
        with one_wins(table):
            self._merge(table, rows).whenNotMatchedInsertAll().execute()

    def _merge(self, table: Table, rows: DataFrame, within: str = "true") -> DeltaMergeBuilder:
        self.create(table)
        return self._merge_frame(table, self._fitted(table, rows), within)

    def _merge_frame(
        self, table: Table, rows: DataFrame, within: str, remark: Remark = NOTHING
    ) -> DeltaMergeBuilder:
        self.sign(remark)
        same_key = " AND ".join(f"stored.{name} = new.{name}" for name in table.key)
        stored = self.delta(table).alias("stored")
        return stored.merge(rows.alias("new"), f"({within}) AND {same_key}")

    def _overwrite(self, table: Table, rows: DataFrame, where: str) -> None:
        with one_wins(table):
            self._writer(table, rows).option("replaceWhere", where).save(self.path(table))

    def _writer(self, table: Table, rows: DataFrame, remark: Remark = NOTHING) -> DataFrameWriter:
        self.create(table)
        self.sign(remark)
        return self._fitted(table, rows).write.format("delta").mode("overwrite")

    def _fitted(self, table: Table, rows: DataFrame) -> DataFrame:
        """`rows` with the table's columns in its order; never a silent cast."""
        _require_schema(rows.schema, table, "rows about to be written")
        return rows.select(*(F.col(name) for name in table.columns))

    def sign(self, remark: Remark = NOTHING) -> None:
        """Let the next commit say which run made it, from which versions of its inputs."""
        signature = json.dumps({**self._note, "reads": self.versions, **remark}, sort_keys=True)
        self.spark.conf.set("spark.databricks.delta.commitInfo.userMetadata", signature)

    def delta(self, table: Table) -> DeltaTable:
        """Delta's own handle of `table`, at its newest version: for what is not about rows."""
        return DeltaTable.forPath(self.spark, self.path(table))

    def _require(self, table: Table) -> None:
        if not self.exists(table):
            raise BadInput(
                f"{table.name}: no table at {self.path(table)}; run the job that writes it (see README), "
                "or set lake.root to where it is"
            )


def _transaction(run_id: str) -> dict[str, str]:
    """By which Delta knows a write of the run, and passes over it when it comes again."""
    return {"txnAppId": run_id, "txnVersion": "1"}


def _require_schema(got: StructType, table: Table, where: str) -> None:
    """Stop unless `got` has the table's columns with its types; nullability is Delta's to enforce."""
    expected = {f.name: f.dataType.simpleString() for f in table.schema}
    found = {f.name: f.dataType.simpleString() for f in got}
    problems = [f"{name} is missing" for name in expected if name not in found]
    problems += [f"{name} is unexpected" for name in found if name not in expected]
    problems += [
        f"{name} is {found[name]}, not {kind}"
        for name, kind in expected.items()
        if name in found and found[name] != kind
    ]
    if problems:
        raise BrokenContract(
            f"{table.name}: schema of {where} differs: {', '.join(problems)}; "
            "write the table anew, or point lake.root at a lake of this version"
        )
