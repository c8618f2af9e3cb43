"""The contenders of sessionize.py in Spark: ours, the plain window, and the scan."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.prepare import cut
from lstmrec.prepare.sessions import sessionize
from lstmrec.sections import SessionsConfig
from tests.benchmarks.contender import Contender

RULES = SessionsConfig(
    gap_minutes=30,
    max_hours=12,
    max_events=500,
    bot_events_per_minute=60,
    bot_hours=1e6,  # the peers flag by speed alone
    bot_steady_events=20,
    bot_steady_variation=0,
)
GAP = RULES.gap // timedelta(microseconds=1)
READ = (c.SESSION_USER, c.EVENT_TS, c.ITEM_ID)
_EVENTS_A_BATCH = 1 << 16


def contenders(spark: SparkSession) -> Iterator[Contender]:
    """All in the JVM of `spark`; their rows go nowhere."""
    yield _contender(spark, "cut", "ours", ours, found_in_cut)
    yield _contender(spark, "cut", "window", window, found_in_cut)
    yield _contender(spark, "scan", "spark", scan, found_in_scan)
    yield _contender(spark, "sessions", "ours", sessions, found_in_sessions)


def _contender(
    spark: SparkSession,
    task: str,
    engine: str,
    result: Callable[[DataFrame], DataFrame],
    found: Callable[[DataFrame], list[int]],
) -> Contender:
    def seconds(log: Path) -> float:
        started = perf_counter()
        result(spark.read.parquet(str(log))).write.format("noop").mode("overwrite").save()
        return perf_counter() - started

    jvm = spark.sparkContext._gateway.proc.pid  # type: ignore[union-attr]
    return Contender(task, engine, jvm, seconds, lambda log: found(result(spark.read.parquet(str(log)))))


def scan(events: DataFrame) -> DataFrame:
    """What the cut reads."""
    return events.select(*READ)


def window(events: DataFrame) -> DataFrame:
    """Each event with the start of its session, by a lag and a running maximum."""
    in_order = Window.partitionBy(c.SESSION_USER).orderBy(c.EVENT_TS)
    micros = F.unix_micros(c.EVENT_TS)
    pause = micros - F.lag(micros).over(in_order)
    opens = F.when(pause.isNull() | (pause > GAP), F.col(c.EVENT_TS))
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return (
        scan(events)
        .withColumn("opens", opens)
        .withColumn(c.OPENED_TS, F.max("opens").over(so_far))
        .drop("opens")
    )


def ours(events: DataFrame) -> DataFrame:
    """The same by the cut of `sessionize`, which has no row an event of its own."""
    read = scan(events)
    opened = read.withColumn(c.OPENED_TS, F.col(c.EVENT_TS))
    return read.repartition(c.SESSION_USER).mapInArrow(_cut, opened.schema)


def sessions(events: DataFrame) -> DataFrame:
    """The rows of the table, whole."""
    return sessionize(events, RULES)


def _cut(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    events = cut.contiguous(batches)
    if not events.num_rows:
        return
    users, times = cut.user_codes(events[c.SESSION_USER]), cut.micros(events[c.EVENT_TS])
    order = np.lexsort((times, users))
    in_order = times[order]
    opens = cut.opens_session(users[order], in_order, GAP)
    opened = in_order[np.flatnonzero(opens)][np.cumsum(opens) - 1]
    for at in range(0, order.size, _EVENTS_A_BATCH):
        rows = events.take(pa.array(order[at : at + _EVENTS_A_BATCH]))
        times_opened = pa.array(opened[at : at + _EVENTS_A_BATCH], events[c.EVENT_TS].type)
        yield from rows.append_column(c.OPENED_TS, times_opened).combine_chunks().to_batches()


def found_in_cut(cut_events: DataFrame) -> list[int]:
    """Sessions, milliseconds into them and letters of items: the same of every engine."""
    elapsed = F.expr(f"(unix_micros({c.EVENT_TS}) - unix_micros({c.OPENED_TS})) div 1000")
    (row,) = cut_events.agg(
        F.countDistinct(c.SESSION_USER, c.OPENED_TS), F.sum(elapsed), F.sum(F.length(c.ITEM_ID))
    ).collect()
    return list(row)


def found_in_scan(events: DataFrame) -> list[int]:
    """Letters of items."""
    return list(events.agg(F.sum(F.length(c.ITEM_ID))).collect()[0])


def found_in_sessions(rows: DataFrame) -> list[int]:
    """Rows, sums over ids and over items in order, logins, bots and durations: the same of every engine."""
    items = F.md5(F.array_join(c.ITEM_IDS, ",").cast("binary"))
    (row,) = rows.agg(
        F.count(F.lit(1)),
        F.sum(_head(F.col(c.SESSION_ID))),
        F.sum(_head(items)),
        F.count(c.STITCHED_USER_ID),
        F.count_if(c.IS_BOT),
        F.sum(F.unix_micros(c.END_TS) - F.unix_micros(c.START_TS)),
    ).collect()
    return list(row)


def _head(digits: Column) -> Column:
    return F.conv(F.substring(digits, 1, 8), 16, 10).cast("long")
