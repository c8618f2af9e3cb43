"""DuckDB and polars at the work of sessionize.py; run by the analysts' Python, one engine a process.

Reads {"log": folder, "task": name} a line from stdin, and answers with {"seconds": ..., "found": [...]}.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

THREADS = 2
GAP, MAX_DURATION, MAX_EVENTS, BOT_EVENTS_PER_MINUTE = json.loads(sys.argv[2])  # microseconds

OPENED = """
    SELECT *, max(opens) OVER (in_order ROWS UNBOUNDED PRECEDING) AS opened_ts
    FROM (
        SELECT *, epoch_us(event_ts) - lag(epoch_us(event_ts)) OVER in_order AS pause,
            CASE WHEN coalesce(pause > {gap}, true) THEN event_ts END AS opens
        FROM read_parquet('{log}/*.parquet')
        WINDOW in_order AS (PARTITION BY session_user ORDER BY {order}))
    WINDOW in_order AS (PARTITION BY session_user ORDER BY {order})
"""

CUT = f"SELECT session_user, event_ts, item_id, opened_ts FROM ({OPENED.replace('{order}', 'event_ts')})"

SESSIONS = """
    WITH opened AS ({opened}),
    stretches AS (
        SELECT *, greatest(epoch_us(event_ts) - epoch_us(opened_ts) - 1, 0) // {max_duration} AS stretch
        FROM opened),
    chunks AS (
        SELECT *, (row_number() OVER (
            PARTITION BY session_user, opened_ts, stretch ORDER BY {order}) - 1) // {max_events} AS chunk
        FROM stretches),
    parts AS (
        SELECT site, session_user, opened_ts, stretch, chunk,
            min(event_ts) AS start_ts, max(event_ts) AS end_ts, count(*) AS n_events,
            list(item_id ORDER BY {order}) AS item_ids,
            list(event_type ORDER BY {order}) AS event_types,
            list(event_ts ORDER BY {order}) AS event_times,
            bool_or(is_bot) AS is_bot,
            first(user_id ORDER BY {order}) FILTER (user_id IS NOT NULL) AS login
        FROM chunks GROUP BY ALL),
    numbered AS (
        SELECT *, row_number() OVER (in_session ORDER BY stretch, chunk) AS part,
            bool_or(is_bot) OVER in_session AS has_bot,
            first(login IGNORE NULLS) OVER (in_session ORDER BY stretch, chunk
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS stitched_user_id,
            sum(n_events) OVER in_session AS n,
            (epoch_us(max(end_ts) OVER in_session) - epoch_us(opened_ts)) / 60e6 AS minutes
        FROM parts WINDOW in_session AS (PARTITION BY site, session_user, opened_ts))
    SELECT site, session_user, opened_ts, part::INT AS part, start_ts, end_ts, n_events::INT AS n_events,
        item_ids, event_types, event_times, stitched_user_id, start_ts::DATE AS session_date,
        has_bot OR (minutes >= 1 AND n > minutes * {rate}) AS is_bot,
        sha256(to_json([site, session_user, epoch_us(opened_ts)::VARCHAR, part::VARCHAR])::VARCHAR)[:32]
            AS session_id
    FROM numbered
"""

CUT_FOUND = """
    SELECT count(DISTINCT (session_user, opened_ts)),
        sum((epoch_us(event_ts) - epoch_us(opened_ts)) // 1000)::BIGINT, sum(length(item_id))::BIGINT
    FROM result
"""
SESSIONS_FOUND = """
    SELECT count(*), sum(('0x' || session_id[:8])::BIGINT)::BIGINT,
        sum(('0x' || md5(array_to_string(item_ids, ','))[:8])::BIGINT)::BIGINT,
        count(stitched_user_id), count(*) FILTER (is_bot), sum(epoch_us(end_ts) - epoch_us(start_ts))::BIGINT
    FROM result
"""


def of_duckdb() -> Callable[[str, str], tuple[float, list[int]]]:
    """Timed into a table in memory, which DuckDB fills with all its threads."""
    import duckdb

    con = duckdb.connect(config={"threads": THREADS})
    con.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")

    def run(log: str, task: str) -> tuple[float, list[int]]:
        total = "event_ts, received_ts, event_key"
        opened = OPENED.format(order=total, gap=GAP, log=log)
        whole = SESSIONS.format(
            opened=opened,
            order=total,
            max_duration=MAX_DURATION,
            max_events=MAX_EVENTS,
            rate=BOT_EVENTS_PER_MINUTE,
        )
        query = whole if task == "sessions" else CUT.format(gap=GAP, log=log)
        started = time.perf_counter()
        con.execute(f"CREATE OR REPLACE TEMP TABLE result AS {query}")
        seconds = time.perf_counter() - started
        (found,) = con.execute(SESSIONS_FOUND if task == "sessions" else CUT_FOUND).fetchall()
        con.execute("DROP TABLE result")
        return seconds, list(found)

    return run


def of_polars() -> Callable[[str, str], tuple[float, list[int]]]:
    """Timed into a frame in memory: sorted by user and time, it needs no window."""
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    import polars as pl

    user, time_ = pl.col("session_user"), pl.col("event_ts")
    opens = (user != user.shift()) | (time_ - time_.shift() > pl.duration(microseconds=GAP))

    def run(log: str, _: str) -> tuple[float, list[int]]:
        started = time.perf_counter()
        result = (
            pl.scan_parquet(f"{log}/*.parquet")
            .select("session_user", "event_ts", "item_id")
            .sort("session_user", "event_ts")
            .with_columns(pl.when(opens.fill_null(True)).then(time_).forward_fill().alias("opened_ts"))
            .collect()
        )
        seconds = time.perf_counter() - started
        elapsed = (pl.col("event_ts") - pl.col("opened_ts")).dt.total_microseconds() // 1000
        found = result.select(
            pl.struct("session_user", "opened_ts").n_unique(),
            elapsed.sum().alias("elapsed"),
            pl.col("item_id").str.len_chars().cast(pl.Int64).sum(),
        )
        return seconds, list(found.row(0))

    return run


def main() -> None:
    run = {"duckdb": of_duckdb, "polars": of_polars}[sys.argv[1]]()
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        seconds, found = run(asked["log"], asked["task"])
        print(json.dumps({"seconds": seconds, "found": found}), flush=True)


if __name__ == "__main__":
    main()
