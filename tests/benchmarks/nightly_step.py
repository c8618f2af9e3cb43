"""How long a night takes as the history grows: the same new day against 1, 10 and 30 times the history.

The histories have equal days, the larger ones more of them. They are written as tables; the new days
come as JSON lines through ingest_events and build_sessions, one warm-up night, then those that count.
"""

import argparse
import json
import statistics
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec import config as configuration
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import EVENTS
from tests.jobs.logs import Log
from tests.jobs.shop import ROOT, job
from tests.local_spark import local_session

DAYS = 30  # of one history; larger ones have as many times more
LAST = date(2026, 1, 31)
JOBS = ("ingest_events", "build_sessions")


def history(spark: SparkSession, n: int, days: int) -> DataFrame:
    """`n` accepted events on `days` days up to LAST, of users whose activity falls off like 1 / rank."""
    u = F.rand(1)
    user = F.concat(F.lit("user-"), F.floor(F.pow(F.lit(n / 20), u)).cast("string"))
    end = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC)
    seconds = F.rand(2) * days * 86_400
    time = F.timestamp_micros(F.lit(int(end.timestamp() * 1e6)) - F.ceil(seconds * 1_000_000))
    return spark.range(n).select(
        F.concat(F.lit("bench/"), F.expr("uuid(3)")).alias(c.EVENT_KEY),
        F.lit("bench").alias(c.SITE),
        user.alias(c.SESSION_USER),
        F.concat(F.lit("item-"), F.floor(F.rand(4) * 10_000).cast("string")).alias(c.ITEM_ID),
        F.lit("view").alias(c.EVENT_TYPE),
        time.alias(c.EVENT_TS),
        time.alias(c.RECEIVED_TS),
        F.lit("device").alias(c.CLOCK),
        F.lit("accepted").alias(c.STATUS),
        F.lit(False).alias(c.IS_BOT),
        F.lit(1.0).alias(c.WEIGHT),
        F.md5(F.col("id").cast("string")).alias(c.PAYLOAD_HASH),
        F.to_date(time).alias(c.EVENT_DATE),
        *(F.lit(None).cast("string").alias(name) for name in (c.EVENT_ID, c.DEVICE_ID, c.USER_ID)),
        *(F.lit(None).cast("timestamp").alias(name) for name in (c.CREATED_TS, c.SENT_TS)),
        F.lit(None).cast("string").alias(c.USER_AGENT),
    )


def write_day(spark: SparkSession, folder: Path, n: int, night: int) -> None:
    """A new day's log: `n` events of the same users, on the day after the last."""
    day = LAST + timedelta(days=night)
    rows = (
        history(spark, n, 1)
        .withColumn(c.EVENT_TS, F.col(c.EVENT_TS) + F.lit(timedelta(days=night)))
        .select(
            F.expr("uuid()").alias("event_id"),
            F.col(c.SESSION_USER).alias("user_id"),
            c.ITEM_ID,
            c.EVENT_TYPE,
            *(F.col(c.EVENT_TS).alias(name) for name in (c.CREATED_TS, c.RECEIVED_TS)),
        )
    )
    rows.coalesce(1).write.json(str(folder / f"date={day.isoformat()}"), mode="overwrite")


def nights(spark: SparkSession, folder: Path, n: int, factor: int, new: int, repeats: int) -> list[float]:
    """Seconds of each night that counts."""
    log = Log(spark, folder, {"source": {"site": "bench"}, "sessions": {"bot_events_per_minute": 60}})
    lake = Lake(spark, str(folder / "lake"), {"job": "benchmark"})
    lake.append(EVENTS, history(spark, n * factor, DAYS * factor))
    flags = log.flags[:-1]  # the run date comes with each night
    job("build_sessions")([*flags, LAST.isoformat()])
    took = []
    for night in range(1, repeats + 2):
        write_day(spark, log.log, new, night)
        started = time.perf_counter()
        for name in JOBS:
            job(name)([*flags, (LAST + timedelta(days=night)).isoformat()])
        took.append(time.perf_counter() - started)
    return took[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="events of the smallest history")
    parser.add_argument("--repeats", type=int, default=3, help="nights that count, a history")
    parser.add_argument("--out", type=Path, help="JSON file of the figures")
    flags = parser.parse_args()

    spark = local_session("bench", configuration.load(ROOT / "conf" / "base.yaml").spark)
    new, seconds = flags.events // 100, {}
    for factor in (1, 10, 30):
        with tempfile.TemporaryDirectory() as folder:
            seconds[factor] = nights(spark, Path(folder), flags.events, factor, new, flags.repeats)
    print(f"\na night of {new} new events, seconds\n{'history':>12} {'min':>7} {'median':>7} {'max':>7}")
    for factor, took in seconds.items():
        low, median, high = min(took), statistics.median(took), max(took)
        print(f"{flags.events * factor:>12,} {low:>7.1f} {median:>7.1f} {high:>7.1f}")
    ratio = statistics.median(seconds[30]) / statistics.median(seconds[1])
    print(f"30x history / 1x history: {ratio:.2f}")
    if flags.out:
        flags.out.parent.mkdir(parents=True, exist_ok=True)
        flags.out.write_text(
            json.dumps({"new_events": new, "seconds": seconds, "ratio_30x_to_1x": ratio}, indent=2)
        )


if __name__ == "__main__":
    main()
