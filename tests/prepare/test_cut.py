"""The cut on arrays: order, parts and batches, without Spark."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lstmrec import columns as c
from lstmrec.prepare import bots, cut

MINUTE = 60_000_000
LIMITS = cut.Limits(
    gap=30 * MINUTE,
    max_duration=12 * 60 * MINUTE,
    max_events=500,
    bots=bots.Limits(60.0, 24 * 60 * MINUTE, 20, 0.05),
)
TIME = pa.timestamp("us", "UTC")


def batch(*rows: tuple[str, int, int, str]) -> pa.RecordBatch:
    """Events of (user, minute, minute of receipt, key); the item is the key."""
    users, minutes, received, keys = zip(*rows, strict=True)
    return pa.RecordBatch.from_pydict(
        {
            c.SITE: ["shop"] * len(rows),
            c.SESSION_USER: users,
            c.EVENT_TS: pa.array([minute * MINUTE for minute in minutes], TIME),
            c.RECEIVED_TS: pa.array([minute * MINUTE for minute in received], TIME),
            c.EVENT_KEY: keys,
            c.ITEM_ID: keys,
            c.EVENT_TYPE: ["view"] * len(rows),
            c.IS_BOT: [False] * len(rows),
            c.USER_ID: pa.array([None] * len(rows), pa.string()),
        }
    )


def folded(*batches: pa.RecordBatch) -> list[dict[str, Any]]:
    return [row for found in cut.fold(batches, LIMITS) for row in found.to_pylist()]


def items(*batches: pa.RecordBatch) -> list[list[str]]:
    return [row[c.ITEM_IDS] for row in folded(*batches)]


def test_keys_that_settle_ties_are_in_order_of_their_bytes() -> None:
    # In UTF-16, and so in Java's own order, the last two would change places
    keys = ["Z", "z", "é", "\uffff", "😀"]
    assert items(batch(*(("ann", 0, 0, key) for key in reversed(keys)))) == [keys]


def test_ties_of_one_user_or_moment_do_not_reach_into_another() -> None:
    log = [("bob", 0, 0, "a"), ("ann", 1, 1, "b"), ("ann", 1, 1, "a"), ("ann", 0, 0, "z"), ("bob", 0, 0, "c")]
    assert sorted(items(batch(*log))) == [["a", "c"], ["z", "a", "b"]]


def test_receipt_comes_before_the_key() -> None:
    assert items(batch(("ann", 0, 9, "a"), ("ann", 0, 8, "b"))) == [["b", "a"]]


def test_a_users_events_in_several_batches_are_one_session() -> None:
    assert items(batch(("ann", 10, 10, "b")), batch(("ann", 0, 0, "a"))) == [["a", "b"]]


def test_no_batch_and_empty_batches_give_nothing() -> None:
    assert folded() == []
    assert folded(batch(("ann", 0, 0, "a")).slice(0, 0)) == []


def test_users_of_two_sites_with_one_name_have_different_codes() -> None:
    sites, users = pa.chunked_array([["x", "x", "y", "y"]]), pa.chunked_array([["ann", "bob", "ann", "ann"]])
    codes = cut.user_codes(sites, users)
    assert len(set(codes)) == 3
    assert codes[2] == codes[3]


@pytest.mark.parametrize("events_a_batch", [1, 2, 3, 7])
def test_the_size_of_the_batches_that_go_back_shows_in_no_row(
    monkeypatch: pytest.MonkeyPatch, events_a_batch: int
) -> None:
    log = batch(*((user, n * n, n * n, f"{user}{n}") for n in range(20) for user in ("ann", "bob")))
    whole = folded(log)
    monkeypatch.setattr(cut, "_EVENTS_A_BATCH", events_a_batch)
    assert len(list(cut.fold([log], LIMITS))) > 1
    assert folded(log) == whole


def test_texts_too_long_for_one_plain_array_give_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    log = batch(("ann", 0, 0, "é"), ("ann", 50, 50, "b"), ("bob", 0, 0, "c"))
    whole = folded(log)
    monkeypatch.setattr(cut, "_MAX_TEXT_BYTES", 0)
    assert folded(log) == whole
    assert len(whole) == 3


def test_a_part_ends_with_its_stretch_of_time_or_its_number_of_events() -> None:
    # Stretches of 60 minutes: 0 to 60, then to 120, then to 180; three events a part
    times = np.array([0, 15, 30, 45, 60, 75, 100, 125]) * MINUTE
    limits = LIMITS._replace(max_duration=60 * MINUTE, max_events=3)
    found = cut.cut(np.zeros(8, dtype=np.int64), times, limits)
    assert found.part_starts.tolist() == [0, 3, 5, 7]
    assert found.part.tolist() == [1, 2, 3, 4]


def test_times_come_back_to_the_microsecond() -> None:
    first = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    log = batch(("ann", 0, 0, "a"), ("ann", 0, 0, "b"))
    times = pa.array([first, first + timedelta(microseconds=1)], TIME)
    log = pa.RecordBatch.from_pydict(
        dict(zip(log.schema.names, log.columns, strict=True)) | {c.EVENT_TS: times}
    )
    (row,) = folded(log)
    assert row[c.EVENT_TIMES] == [first, first + timedelta(microseconds=1)]
    assert (row[c.OPENED_TS], row[c.END_TS]) == (row[c.EVENT_TIMES][0], row[c.EVENT_TIMES][1])
