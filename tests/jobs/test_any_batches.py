"""Any log, cut into any batches, in any order, delivered again and run again, leaves the same tables."""

import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from tests import oracle
from tests.jobs.nights import Nights

pytestmark = pytest.mark.slow

START = datetime(2026, 2, 12, 22, 30, tzinfo=oracle.UTC)
ACCOUNTED = (("ingest_events", "accepted"), ("ingest_events", "late"), ("displaced_events", "rows_in"))
JUNK = ("", "not json", "[1]", '{"event_id": "e', '"text"', "null")


def text(time: datetime | None) -> str | None:
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def line(random: Random) -> str:
    """One line: mostly a sound click, close to others of the few users; else dirt of some kind."""
    if random.random() < 0.05:
        return random.choice(JUNK)
    created = START + timedelta(minutes=random.choice([1, 10, 29, 30, 31]) * random.randrange(40))
    created += timedelta(microseconds=random.choice([0, 0, 0, 1]))
    sent = created + random.choice([timedelta(0), timedelta(seconds=40), timedelta(hours=-1)])
    received = sent + random.choice([timedelta(0), timedelta(seconds=2), timedelta(minutes=20)])
    received += random.choice([timedelta(0)] * 9 + [timedelta(days=4)])  # a late one, in part
    record: dict[str, Any] = {
        "event_id": random.choice([None, *(f"e{n}" for n in range(40))]),
        "device_id": random.choice(["d1", "d1", "d2", None]),
        "user_id": random.choice([None, None, "ann", "bob"]),
        "item_id": random.choice("aaabbbbbc"),
        "event_type": random.choice(["view"] * 8 + ["cart", "scroll", "teleport"]),
        "created_ts": random.choice([text(created)] * 9 + [None, "9999-12-31T00:00:00Z"]),
        "sent_ts": random.choice([text(sent)] * 3 + [None]),
        "received_ts": random.choice([text(received)] * 19 + [None, "yesterday"]),
        "user_agent": random.choice(["Mozilla"] * 30 + ["Googlebot"]),
    }
    return json.dumps({name: value for name, value in record.items() if value is not None})


def delivered_again(original: str, random: Random) -> str:
    """The line as it is, or as the collector received it at another time."""
    try:
        record = json.loads(original)
        received = datetime.fromisoformat(record["received_ts"])
    except (ValueError, KeyError, TypeError):
        return original
    shift = timedelta(minutes=random.choice([-25, -1, 0, 3, 600]))
    return json.dumps(record | {"received_ts": text(received + shift)})


def batches(random: Random) -> list[list[str]]:
    """The files of some nights: lines in any order, copies of lines of other nights among them."""
    lines = [line(random) for _ in range(random.randrange(30, 120))]
    lines += [delivered_again(random.choice(lines), random) for _ in range(len(lines) // 4)]
    random.shuffle(lines)
    cuts = sorted(random.randrange(len(lines) + 1) for _ in range(random.randrange(4)))
    return [lines[i:j] for i, j in zip([0, *cuts], [*cuts, len(lines)], strict=True)]


@given(random=st.randoms(use_true_random=False))
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_the_tables_are_the_oracles_whatever_the_batches(spark: SparkSession, random: Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        nights = Nights(spark, Path(folder))
        files = batches(random)
        for number, lines in enumerate(files):
            nights.drop(f"part-{number}", lines)
            # else the next run takes this file with its own; a log of empty files alone is refused
            if random.random() < 0.7 and any(files[: number + 1]):
                nights.run()
            if random.random() < 0.3:
                nights.drop(f"again-{number}", random.choice(files[: number + 1]))
        nights.run()
        expected = oracle.tables([line for lines in files for line in lines])
        got = nights.tables()
        assert got.events == expected.events
        assert got.quarantine == expected.quarantine
        assert got.sessions == expected.sessions
        accepted, late, displaced = (nights.booked(*line) for line in ACCOUNTED)
        assert accepted + late - displaced == len(got.events)
