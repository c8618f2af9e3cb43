"""Dirt is what its kind says, and the books are true."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmrec.samples.dirt import Dirt, Planted, plant
from lstmrec.samples.raw_log import RawEvent, RawLine, SampleError, by_day, to_instant
from lstmrec.samples.synthetic import SyntheticPlan, generate

CHANGES = [kind for kind in Dirt if not kind.adds_rows]
READABLE = [kind for kind in CHANGES if kind not in (Dirt.TRUNCATED, Dirt.NOT_JSON, Dirt.NOT_AN_OBJECT)]
HOUR = timedelta(hours=1)


@cache
def clean() -> tuple[RawEvent, ...]:
    return tuple(generate(SyntheticPlan(users=80, days=4, seed=3)).events())


@cache
def planted_in_full() -> tuple[list[RawLine], Planted]:
    return plant(clean(), {kind: 2 if kind.is_bot else 12 for kind in Dirt}, seed=8)


def original(event_id: str) -> RawEvent:
    return next(event for event in clean() if event.event_id == event_id)


def rows_of(kind: Dirt) -> list[tuple[RawEvent, dict[str, Any]]]:
    """Each row of a kind that changes rows and leaves them readable: as it was, and as it stands."""
    lines, planted = planted_in_full()
    standing = {}
    for line in lines:
        try:
            record = json.loads(line.text)
            standing[record["event_id"]] = record
        except (ValueError, TypeError, KeyError):
            continue  # a row of another kind
    return [(original(event_id), standing[event_id]) for event_id in planted.event_ids[kind]]


def copies_of(kind: Dirt) -> list[tuple[RawEvent, RawEvent]]:
    """Each row that was copied, and its copy."""
    lines, planted = planted_in_full()
    events = [line for line in lines if isinstance(line, RawEvent)]
    pairs = []
    for event_id in planted.event_ids[kind]:
        (copy,) = [e for e in events if e.event_id == event_id and e != original(event_id)]
        assert original(event_id) in events
        pairs.append((original(event_id), copy))
    return pairs


numbers = st.fixed_dictionaries({kind: st.integers(0, 2 if kind.is_bot else 20) for kind in Dirt})
few = settings(deadline=None, max_examples=12)


@given(numbers, st.integers(0, 1000))
@few
def test_the_books_are_true(numbers: dict[Dirt, int], seed: int) -> None:
    lines, planted = plant(clean(), numbers, seed)

    bot_rows = {Dirt.BOT_AGENT: 20, Dirt.BOT_RATE: 200, Dirt.BOT_PACE: 30}
    assert planted.counts == {kind: number * bot_rows.get(kind, 1) for kind, number in numbers.items()}
    added = sum(count for kind, count in planted.counts.items() if kind.adds_rows)
    assert (planted.rows_in, planted.rows_out) == (len(clean()), len(lines))
    assert len(lines) == len(clean()) + added


@given(numbers, st.integers(0, 1000))
@few
def test_a_row_gets_one_kind_at_most_and_all_others_stay_as_they_were(
    numbers: dict[Dirt, int], seed: int
) -> None:
    lines, planted = plant(clean(), numbers, seed)

    named = Counter(event_id for ids in planted.event_ids.values() for event_id in ids)
    changed = {event_id for kind in CHANGES for event_id in planted.event_ids[kind]}
    kept = [event.text for event in clean() if event.event_id not in changed]
    sound = set(kept)
    assert set(named.values()) <= {1}
    assert [line.text for line in lines if line.text in sound] == kept


@given(numbers, st.integers(0, 1000))
@few
def test_the_same_seed_plants_the_same_and_no_folder_is_added(numbers: dict[Dirt, int], seed: int) -> None:
    lines, planted = plant(clean(), numbers, seed)

    assert plant(clean(), numbers, seed) == (lines, planted)
    assert {day for day, _ in by_day(lines)} <= {event.day for event in clean()}


def test_nothing_asked_for_changes_nothing() -> None:
    lines, planted = plant(clean(), {}, seed=1)

    assert lines == list(clean())
    assert sum(planted.counts.values()) == 0


def test_no_rows_take_no_dirt() -> None:
    assert plant([], {Dirt.BOT_RATE: 1}, seed=1) == ([], Planted(dict.fromkeys(Dirt, ()), 0, 0))


def test_a_redelivered_row_is_the_same_but_for_a_later_receipt_some_on_a_later_day() -> None:
    for first, again in copies_of(Dirt.REDELIVERED):
        assert without(again, "received_ts") == without(first, "received_ts")
        assert str(first.received_ts) < str(again.received_ts)
    assert any(first.day < again.day for first, again in copies_of(Dirt.REDELIVERED))


def test_an_id_conflict_is_the_same_id_with_another_item_received_later() -> None:
    for first, second in copies_of(Dirt.ID_CONFLICT):
        assert without(second, "received_ts", "item_id") == without(first, "received_ts", "item_id")
        assert second.item_id != first.item_id
        assert str(first.received_ts) < str(second.received_ts)


def test_an_id_conflict_takes_the_other_item_where_there_are_two() -> None:
    two = [replace(event, item_id="ab"[turn % 2]) for turn, event in enumerate(clean()[:40])]
    lines, _ = plant(two, {Dirt.ID_CONFLICT: 40}, seed=1)

    items = {(line.event_id, line.item_id) for line in lines if isinstance(line, RawEvent)}
    assert len(items) == 80
    with pytest.raises(SampleError, match="the log has one only"):
        plant(two[:1], {Dirt.ID_CONFLICT: 1}, seed=1)


def without(event: RawEvent, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in json.loads(event.text).items() if key not in keys}


def instants(row: dict[str, Any]) -> tuple[datetime, datetime, datetime]:
    created, sent, received = (to_instant(row[key]) for key in ("created_ts", "sent_ts", "received_ts"))
    return created, sent, received


def late(was: RawEvent, row: dict[str, Any]) -> bool:
    created, sent, _ = instants(row)
    return sent - created > timedelta(days=3) and row["sent_ts"] == was.sent_ts


def fast_clock(was: RawEvent, row: dict[str, Any]) -> bool:
    created, received = to_instant(row["created_ts"]), to_instant(row["received_ts"])
    return created - received >= HOUR and row.get("sent_ts", was.sent_ts) == was.sent_ts


def slow_clock(was: RawEvent, row: dict[str, Any]) -> bool:
    created, sent, received = instants(row)
    true = to_instant(str(was.created_ts))
    corrected = received - (sent - created)
    return true - created >= 2 * HOUR and timedelta(0) < corrected - true < timedelta(seconds=1)


def impossible(text: str) -> bool:
    return text.startswith(("1970-", "9999-")) or "noon" in text


LOOKS: dict[Dirt, Callable[[RawEvent, dict[str, Any]], bool]] = {
    Dirt.LATE: late,
    Dirt.FAST_CLOCK: fast_clock,
    Dirt.SLOW_CLOCK: slow_clock,
    Dirt.NO_CLOCK: lambda was, row: "created_ts" not in row and "sent_ts" not in row,
    Dirt.IMPOSSIBLE_CREATED: lambda was, row: impossible(row["created_ts"]) and row["sent_ts"] == was.sent_ts,
    Dirt.IMPOSSIBLE_RECEIVED: lambda was, row: impossible(row["received_ts"]),
    Dirt.NO_ITEM: lambda was, row: "item_id" not in row,
    Dirt.NO_PERSON: lambda was, row: "device_id" not in row and "user_id" not in row,
    Dirt.UNKNOWN_TYPE: lambda was, row: row["event_type"] not in ("view", "cart", "buy"),
    Dirt.OVERSIZE: lambda was, row: len(json.dumps(row)) > 100_000,
}


@pytest.mark.parametrize("kind", READABLE, ids=lambda kind: kind.value)
def test_a_row_of_a_kind_looks_as_the_kind_says_and_sound_rows_do_not(kind: Dirt) -> None:
    rows = rows_of(kind)

    assert len(rows) == 12
    assert all(LOOKS[kind](was, row) for was, row in rows)
    assert not any(LOOKS[kind](was, json.loads(was.text)) for was, _ in rows)


@pytest.mark.parametrize("kind", [Dirt.FAST_CLOCK, Dirt.IMPOSSIBLE_CREATED, Dirt.IMPOSSIBLE_RECEIVED])
def test_a_kind_of_several_forms_has_all_of_them(kind: Dirt) -> None:
    key = "received_ts" if kind is Dirt.IMPOSSIBLE_RECEIVED else "created_ts"
    forms = {"sent_ts" in row if kind is Dirt.FAST_CLOCK else row[key] for _, row in rows_of(kind)}

    assert len(forms) == (2 if kind is Dirt.FAST_CLOCK else 3)


@pytest.mark.parametrize("kind", [Dirt.TRUNCATED, Dirt.NOT_JSON, Dirt.NOT_AN_OBJECT])
def test_a_broken_line_is_no_json_object_and_one_line(kind: Dirt) -> None:
    lines, planted = plant(clean(), {kind: 40}, seed=2)
    broken = [line.text for line in lines if not isinstance(line, RawEvent)]

    assert len(broken) == planted.counts[kind] == 40
    assert not any("\n" in text for text in broken)
    for text in broken:
        if kind is Dirt.NOT_AN_OBJECT:
            assert not isinstance(json.loads(text), dict)
        else:
            with pytest.raises(ValueError):
                json.loads(text)


@pytest.mark.parametrize(("kind", "rows"), [(Dirt.BOT_AGENT, 20), (Dirt.BOT_RATE, 200), (Dirt.BOT_PACE, 30)])
def test_a_bot_is_a_device_of_its_own(kind: Dirt, rows: int) -> None:
    lines, planted = planted_in_full()
    made = [e for e in lines if isinstance(e, RawEvent) and e.event_id in planted.event_ids[kind]]
    people = {event.device_id for event in clean()}

    assert Counter(event.device_id for event in made) == dict.fromkeys({e.device_id for e in made}, rows)
    assert not people & {event.device_id for event in made}
    for device in {event.device_id for event in made}:
        times = [to_instant(str(event.created_ts)) for event in made if event.device_id == device]
        minutes = (max(times) - min(times)) / timedelta(minutes=1)
        assert minutes > 1
        assert (rows / minutes > 100) == (kind is Dirt.BOT_RATE)
        pauses = {later - time for time, later in pairwise(sorted(times))}
        assert (len(pauses) == 1) == (kind is Dirt.BOT_PACE)


def test_only_the_crawlers_say_that_they_are_robots() -> None:
    lines, planted = planted_in_full()
    words = ("bot/", "python-requests", "headless")
    robots = {
        e.event_id
        for e in lines
        if isinstance(e, RawEvent) and any(word in str(e.user_agent).lower() for word in words)
    }

    assert robots == set(planted.event_ids[Dirt.BOT_AGENT])


def test_more_dirt_than_rows_is_refused() -> None:
    with pytest.raises(SampleError, match="5 rows of dirt do not fit into 4 events"):
        plant(clean()[:4], {Dirt.LATE: 3, Dirt.NO_ITEM: 2}, seed=1)


def test_dirt_is_not_planted_upon_dirt() -> None:
    with pytest.raises(SampleError, match="lacks a field: dirt is planted into sound rows only"):
        plant([clean()[0], RawEvent(event_id="e1")], {}, seed=1)
