"""Event time out of three clocks: every case of the rule, by hand."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.prepare import clocks

DAY = "2026-01-30T"
NAMES = (c.CREATED_TS, c.SENT_TS, c.RECEIVED_TS)


def settle(
    spark: SparkSession, config: Config, created: str | None, sent: str | None, received: str | None
) -> tuple[str | None, str, str | None]:
    """(time of day of the event, its clock, why there is none)."""
    given = spark.createDataFrame([(created, sent, received)], ", ".join(f"{name} string" for name in NAMES))
    settled = clocks.settle(clocks.read_times(given, NAMES, "iso8601"), config.ingest)
    time = F.date_format(c.EVENT_TS, "yyyy-MM-dd'T'HH:mm:ss").alias("time")
    (row,) = settled.select(time, c.CLOCK, clocks.NO_TIME).collect()
    return (row["time"], row[c.CLOCK], row[clocks.NO_TIME])


@pytest.mark.parametrize(
    ("created", "sent", "received", "time", "clock"),
    [
        pytest.param("10:00:00Z", "10:00:05Z", "10:00:07Z", "10:00:02", "corrected", id="right clock"),
        pytest.param("04:00:00Z", "04:01:00Z", "10:00:00Z", "09:59:00", "corrected", id="slow clock"),
        pytest.param("16:00:00Z", "16:01:00Z", "10:00:00Z", "09:59:00", "corrected", id="fast clock"),
        pytest.param("10:00:00+02:00", "10:01:00+02:00", "08:02:00Z", "08:01:00", "corrected", id="zones"),
        pytest.param("10:00:00Z", None, "10:01:00Z", "10:00:00", "device", id="no sending time"),
        pytest.param("10:01:00Z", "10:00:00Z", "10:02:00Z", "10:01:00", "device", id="sent before created"),
        pytest.param("10:05:00Z", None, "10:00:00Z", "10:05:00", "device", id="ahead by exactly the limit"),
        pytest.param("10:05:01Z", None, "10:00:00Z", "10:00:00", "ahead", id="ahead by more"),
        pytest.param(None, None, "10:00:00Z", "10:00:00", "collector", id="no device clock"),
        pytest.param("gibberish", None, "10:00:00Z", "10:00:00", "collector", id="unreadable device clock"),
        pytest.param("10:00:00Z", None, None, "10:00:00", "device", id="no collector clock"),
    ],
)
def test_the_event_time_is_the_best_that_the_clocks_give(
    spark: SparkSession,
    config: Config,
    created: str | None,
    sent: str | None,
    received: str | None,
    time: str,
    clock: str,
) -> None:
    days = (value and DAY + value for value in (created, sent, received))
    assert settle(spark, config, *days) == (DAY + time, clock, None)


def test_a_device_clock_from_before_the_longest_queue_is_broken(spark: SparkSession, config: Config) -> None:
    got = settle(spark, config, "2025-12-01T00:00:00Z", None, DAY + "10:00:00Z")
    assert got == (DAY + "10:00:00", "collector", None)


def test_a_broken_collector_clock_costs_the_row(spark: SparkSession, config: Config) -> None:
    assert settle(spark, config, DAY + "10:00:00Z", None, "2999-01-01T00:00:00Z")[2] == "impossible_time"


@pytest.mark.parametrize(
    ("time_format", "text"),
    [
        ("epoch_seconds", "1769767200.5"),
        ("epoch_millis", "1769767200500"),
        ("epoch_micros", "1769767200500000"),
        ("epoch_nanos", "1769767200500000000"),
    ],
)
def test_numbers_are_read_as_time_since_1970(spark: SparkSession, time_format: str, text: str) -> None:
    given = spark.createDataFrame([(text,), ("1e300",), ("soon",), (None,)], "created_ts string")
    read = clocks.read_times(given, ["created_ts"], time_format)
    assert [row[0] for row in read.select(F.unix_micros("created_ts")).collect()] == [
        1769767200500000,
        None,
        None,
        None,
    ]
