"""When an event happened, from three clocks of which the device's may be wrong or missing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.sections import IngestConfig

NO_TIME: Final = "no_time"

CORRECTED: Final = "corrected"  # received - (sent - created): the device clock's error cancels out
DEVICE: Final = "device"  # created, believed as it is
COLLECTOR: Final = "collector"  # received, since the device clock is missing or broken
AHEAD: Final = "ahead"  # received, since the device clock ran ahead of it

_MICROS: Final = {"epoch_seconds": 1_000_000, "epoch_millis": 1_000, "epoch_micros": 1, "epoch_nanos": 0.001}
_MAX_EPOCH_MICROS: Final = 253_402_300_800_000_000  # the year 10000, where timestamps end


def read_times(rows: DataFrame, names: Sequence[str], time_format: str) -> DataFrame:
    """The texts in columns `names` as UTC timestamps, null where they are none.

    `<name>_given` tells whether there was a text at all. An ISO time without zone is UTC.
    """
    given = {f"{name}_given": F.col(name).isNotNull() for name in names}
    times = {name: _time(F.col(name), time_format) for name in names}
    return rows.withColumns(given).withColumns(times)


def settle(rows: DataFrame, rules: IngestConfig) -> DataFrame:
    """Add event_ts, the `clock` that it is from, and `no_time`: why there is none, else null.

    A missing or broken device clock never costs a row; a broken collector clock does, since nothing
    could then tell how late the row is. A log without received_ts takes the device's time for it.
    """
    earliest, latest = (F.lit(bound) for bound in rules.bounds)

    def possible(name: str) -> Column:
        return F.when((F.col(name) >= earliest) & (F.col(name) < latest), F.col(name))

    checked = rows.withColumns({name: possible(name) for name in (c.CREATED_TS, c.SENT_TS, c.RECEIVED_TS)})
    created, sent, received = F.col(c.CREATED_TS), F.col(c.SENT_TS), F.col(c.RECEIVED_TS)
    held_back = sent - created
    ahead = created > received + F.lit(rules.clock_ahead)
    broken = created < received - F.lit(rules.max_queue)
    can_correct = (held_back >= F.lit(timedelta(0))) & (held_back <= F.lit(rules.max_queue))
    clock = (
        F.when(received.isNotNull() & F.coalesce(can_correct, F.lit(False)), CORRECTED)
        .when(received.isNull(), DEVICE)
        .when(created.isNull() | broken, COLLECTOR)
        .when(ahead, AHEAD)
        .otherwise(DEVICE)
    )
    event_time = (
        F.when(F.col(c.CLOCK) == CORRECTED, received - held_back)
        .when(F.col(c.CLOCK) == DEVICE, created)
        .otherwise(received)
    )
    impossible = F.col(f"{c.RECEIVED_TS}_given") & received.isNull()
    any_given = F.col(f"{c.RECEIVED_TS}_given") | F.col(f"{c.CREATED_TS}_given")
    no_time = F.when(~any_given, "missing_time").when(
        impossible | F.coalesce(received, created).isNull(), "impossible_time"
    )
    return (
        checked.withColumn(c.CLOCK, clock)
        .withColumn(c.EVENT_TS, event_time)
        .withColumn(NO_TIME, no_time)
        .withColumn(c.RECEIVED_TS, F.coalesce(received, created))
        .drop(*(f"{name}_given" for name in (c.CREATED_TS, c.SENT_TS, c.RECEIVED_TS)))
    )


def _time(text: Column, time_format: str) -> Column:
    if time_format == "iso8601":
        return F.try_to_timestamp(text)
    micros = text.try_cast("double") * _MICROS[time_format]
    return F.timestamp_micros(F.when(F.abs(micros) < _MAX_EPOCH_MICROS, F.round(micros)).try_cast("bigint"))
