"""The bridge from files to `events`: read, settle with what is stored, balance the books, then write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import BadInput
from lstmrec.lake import accounting, checks, ledger, raw_log
from lstmrec.lake.ledger import Batch
from lstmrec.lake.store import Lake
from lstmrec.lake.table import on_days
from lstmrec.lake.tables import EVENTS, EVENTS_QUARANTINE
from lstmrec.mapping import SourceConfig
from lstmrec.prepare import duplicates, events, quarantine, records
from lstmrec.prepare.duplicates import ID_CONFLICT
from lstmrec.sections import IngestConfig

DISPLACED: Final = "displaced_events"
"""The job under which the books tell of stored events whose place a row received earlier took."""

_ENOUGH_TO_TELL: Final = 1000  # records; a smaller batch may lack a field by chance
_NO_RECORDS: Final = ("oversize_payload", "not_utf8", "malformed_json", "malformed_csv")
_MAPPED_WRONG: Final = {
    "missing_user": "event_fields.device_id and event_fields.user_id",
    "missing_item": "event_fields.item_id",
    "missing_time": "event_fields.created_ts and event_fields.received_ts",
    "impossible_time": "time_format, event_fields.created_ts and event_fields.received_ts",
    "unknown_event_type": "event_fields.event_type and event_types",
    "malformed_json": "format, explode and the paths of event_fields",
    "malformed_csv": "csv.delimiter and csv.columns",
}


@dataclass(frozen=True)
class Found:
    """Records with the texts of the mapped fields (prepare/records.py), and the mapping they are of."""

    records: DataFrame
    source: SourceConfig


@dataclass(frozen=True)
class Settled:
    """A batch's records, `checked`, and the events among them with their stored rivals, `settled`."""

    checked: DataFrame
    settled: DataFrame
    rows_in: int
    books: dict[str, int]

    @property
    def winners(self) -> DataFrame:
        """Rows of `events` that the batch brings."""
        return self.settled.where(~F.col(c.IS_STORED) & duplicates.won()).select(*EVENTS.columns)


def read(lake: Lake, folder: str, batch: Batch, source: SourceConfig, rules: IngestConfig) -> list[Found]:
    """A row per record of the batch's files, a frame per layout that files have.

    Raises
    ------
    BadInput
        Where the mapping names a field that no file of the batch has; of JSON nobody can tell.
    """
    if source.format == "json":
        lines = raw_log.read_lines(lake.spark, folder, batch.files)
        return [Found(records.from_json(lines, source, rules), source)]
    found, schemas = [], []
    if source.format == "csv":
        for header, files in raw_log.by_header(lake.spark, folder, batch.files):
            columns = records.csv_columns(header, source)
            lines = raw_log.read_lines(lake.spark, folder, files)
            found.append(Found(records.from_csv(lines, header, columns, source, rules), source))
            if header:  # an empty file lacks all fields, and has no row to tell of it
                schemas.append(records.csv_schema(columns))
    else:
        for schema, files in raw_log.by_schema(lake.spark, folder, batch.files):
            rows = raw_log.read_rows(lake.spark, folder, files)
            found.append(Found(records.from_rows(rows, source, rules), source))
            schemas.append(schema)
    _require_fields([(records.missing(schema, source), schema.names) for schema in schemas], batch)
    return found


def read_corrections(corrected: DataFrame, source: SourceConfig, rules: IngestConfig) -> list[Found]:
    """The corrected rows, id conflicts with our names for the fields, all others with the log's."""
    is_conflict = F.col(c.REASON).eqNullSafe(ID_CONFLICT)
    ours = quarantine.our_mapping(source)
    return [
        Found(records.from_json(corrected.where(is_conflict), ours, rules), ours),
        Found(records.from_json(corrected.where(~is_conflict), source, rules), source),
    ]


def settle(lake: Lake, found: Sequence[Found], batch: Batch, rules: IngestConfig) -> Settled:
    """Decide about each record `found` in the batch's files, against `events` as the batch pinned it.

    Raises
    ------
    BrokenContract
        Where the books do not balance, or two events of the batch have one key.
    BadInput
        Where all records lack what the mapping should have found.
    """
    checked = _all([events.check(part.records, part.source, rules) for part in found]).persist()
    batch_events = events.identify(checked, rules)
    rivals = _rivals(lake, batch, batch_events.select(c.EVENT_KEY))
    settled = duplicates.settle(batch_events, rivals).persist()

    no_events = checked.where(F.col(c.REASON).isNotNull()).select(F.col(c.REASON).alias(c.OUTCOME))
    outcomes = settled.where(~F.col(c.IS_STORED)).select(c.OUTCOME).unionByName(no_events)
    rows_in = _all([part.records for part in found]).count()  # on a way of its own, past all the above
    made = Settled(checked, settled, rows_in, accounting.count_outcomes(outcomes))
    accounting.require_balance(made.rows_in, made.books, batch.job)
    _require_sense(made.books)
    checks.require_unique(made.winners, EVENTS.key, EVENTS.name)
    return made


def publish(lake: Lake, made: Settled, redriven: DataFrame | None, batch: Batch) -> None:
    """Write what was settled to `events` and `events_quarantine`, and take `redriven` rows out of the latter.

    In this order: the claim, the quarantine, the events, the books. Killed at any point, the next run
    finds the claim without books, decides the same again, and its writes leave what a single run does.
    """
    ledger.claim(lake, batch)
    rows = quarantine.rejected(made.checked).unionByName(quarantine.conflicting(made.settled)).persist()
    gone = quarantine.redeemed(made.settled)
    if redriven is not None:
        left = redriven.join(rows, on=c.ROW_HASH, how="left_anti")  # what was wrong again stays
        gone = gone.unionByName(left.select(c.ROW_HASH)).distinct()  # a row may be corrected twice
    lake.amend(EVENTS_QUARANTINE, rows, gone, "true", quarantine.IS_EARLIER)

    displaced = made.settled.where(F.col(c.IS_STORED) & ~duplicates.won())
    taken_back = accounting.count_outcomes(displaced.select(c.OUTCOME))
    if taken_back:
        days = displaced.select(c.EVENT_DATE).distinct().collect()  # few: those of redelivered events
        within = on_days(c.EVENT_DATE, (row[c.EVENT_DATE] for row in days))
        lake.upsert_once(EVENTS, made.winners, within, batch.run_id)
        run_id, n = f"{batch.run_id}-displaced", sum(taken_back.values())
        accounting.record(lake, run_id, batch.run_date, DISPLACED, n, taken_back)
    else:
        lake.append_once(EVENTS, made.winners, batch.run_id)
    accounting.record(lake, batch.run_id, batch.run_date, batch.job, made.rows_in, made.books)
    for frame in (rows, made.settled, made.checked):
        frame.unpersist()


def _rivals(lake: Lake, batch: Batch, keys: DataFrame) -> DataFrame:
    """Stored events with one of the `keys`.

    In two passes: over the keys alone for the days that have a rival, which are few, then over
    those days. A log without redelivery so reads one column of what is stored.
    """
    stored = lake.read_version(EVENTS, batch.events_version)
    with_rival = stored.select(c.EVENT_KEY, c.EVENT_DATE).join(keys, on=c.EVENT_KEY, how="left_semi")
    days = [row[c.EVENT_DATE] for row in with_rival.select(c.EVENT_DATE).distinct().collect()]
    return stored.where(F.col(c.EVENT_DATE).isin(days)).join(keys, on=c.EVENT_KEY, how="left_semi")


def _all(frames: Sequence[DataFrame]) -> DataFrame:
    return reduce(DataFrame.unionByName, frames)


def _require_fields(layouts: Sequence[tuple[Mapping[str, str], Sequence[str]]], batch: Batch) -> None:
    """Stop if there is a mapped field that no layout of the batch's files has."""
    if not layouts:
        return
    nowhere = set.intersection(*(set(missing) for missing, _ in layouts))
    if nowhere:
        missing, columns = layouts[0]
        keys = ", ".join(f"source.event_fields.{ours}: no field {missing[ours]}" for ours in sorted(nowhere))
        raise BadInput(
            f"{keys} in any of {len(batch.files)} new files, e.g. {batch.files[0].path}, which has "
            f"{', '.join(columns)}; name one of these, or null where the log has no such field"
        )


def _require_sense(books: Mapping[str, int]) -> None:
    """Stop if a large batch has nothing but rows of one reason that a wrong mapping gives to all rows."""
    for reason, keys in _MAPPED_WRONG.items():
        read = sum(n for outcome, n in books.items() if outcome == reason or outcome not in _NO_RECORDS)
        if books.get(reason, 0) == read >= _ENOUGH_TO_TELL:
            raise BadInput(
                f"source: each of {read} rows is a {reason}; the mapping seems not to be this log's, see "
                f"{keys}. Nothing was written"
            )
