"""The rules from line to session in plain Python, one row after the other: slow, and without Spark."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

SITE = "shop"
TYPES = {"view": "view", "cart": "cart", "scroll": None}
BOUNDS = (datetime(1995, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
AHEAD, QUEUE, LATE = timedelta(minutes=5), timedelta(days=30), timedelta(days=3)
GAP, LONGEST, MOST, BOT_RATE = timedelta(minutes=30), timedelta(hours=1.5), 6, 3
RESTLESS, STEADY_EVENTS, STEADY_VARIATION = timedelta(hours=4), 4, 0.21

IDS = ("event_id", "device_id", "user_id", "item_id")
TEXTS = (*IDS, "event_type", "user_agent")
TIMES = ("created_ts", "sent_ts", "received_ts")

Row = dict[str, Any]


@dataclass
class Expected:
    """Rows of the three tables, as sorted lists of tuples."""

    events: list[tuple[Any, ...]]
    quarantine: list[tuple[Any, ...]]
    sessions: list[tuple[Any, ...]]


def tables(lines: Iterable[str]) -> Expected:
    """What the tables hold once all `lines` came, in whatever order and however often."""
    rejected: set[tuple[str, str]] = set()
    by_key: dict[str, list[Row]] = defaultdict(list)
    for line in lines:
        row, reason = read(line)
        if reason is None:
            by_key[row["event_key"]].append(row)
        elif reason != "ignored_type":
            rejected.add((reason, line))
    winners = []
    conflicts = set()
    for rows in by_key.values():
        rows.sort(key=earliest_first)
        winners.append(rows[0])
        seen = {rows[0]["payload_hash"]}
        for row in rows[1:]:
            if row["payload_hash"] not in seen:
                seen.add(row["payload_hash"])
                conflicts.add(("id_conflict", as_mapped(row)))
    return Expected(
        events=sorted((event_tuple(row) for row in winners), key=repr),
        quarantine=sorted(rejected | conflicts),
        sessions=sorted(sessions(winners)),
    )


def read(line: str) -> tuple[Row, str | None]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return {}, "malformed_json"
    row: Row = {name: (str(record.get(name) or "").strip() or None) for name in (*TEXTS, *TIMES)}
    their_type = row["event_type"]
    row["event_type"] = TYPES.get(their_type)
    given = {name: row[name] is not None for name in TIMES}
    row |= {name: instant(row[name]) for name in TIMES}
    if their_type in TYPES and TYPES[their_type] is None:
        return row, "ignored_type"
    if not (row["device_id"] or row["user_id"]):
        return row, "missing_user"
    if not row["item_id"]:
        return row, "missing_item"
    if row["event_type"] is None:
        return row, "unknown_event_type"
    if not (given["received_ts"] or given["created_ts"]):
        return row, "missing_time"
    if (given["received_ts"] and not row["received_ts"]) or not (row["received_ts"] or row["created_ts"]):
        return row, "impossible_time"
    settle_time(row)
    identify(row)
    return row, None


def instant(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if BOUNDS[0] <= found < BOUNDS[1] else None


def settle_time(row: Row) -> None:
    created, sent, received = (row[name] for name in TIMES)
    if received is None:
        row |= {"clock": "device", "event_ts": created, "received_ts": created}
    elif created and sent and timedelta(0) <= sent - created <= QUEUE:
        row |= {"clock": "corrected", "event_ts": received - (sent - created)}
    elif created is None or created < received - QUEUE:
        row |= {"clock": "collector", "event_ts": received}
    elif created > received + AHEAD:
        row |= {"clock": "ahead", "event_ts": received}
    else:
        row |= {"clock": "device", "event_ts": created}


def identify(row: Row) -> None:
    content = {name: row[name] for name in TEXTS} | {"created_ts": micros(row["created_ts"])}
    row["payload_hash"] = digest(content)
    if row["created_ts"] is None:
        content["received_ts"] = micros(row["received_ts"])
    row["event_key"] = f"{SITE}/{row['event_id']}" if row["event_id"] else f"{SITE}#{digest(content)}"
    row["session_user"] = row["device_id"] or row["user_id"]
    row["is_bot"] = "Googlebot" in (row["user_agent"] or "")
    row["status"] = "late" if row["received_ts"] - row["event_ts"] > LATE else "accepted"


def digest(content: Mapping[str, Any]) -> str:
    known = {name: value for name, value in content.items() if value is not None}
    return hashlib.sha256(json.dumps(known, separators=(",", ":")).encode()).hexdigest()[:32]


def micros(time: datetime | None) -> int | None:
    return None if time is None else (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def earliest_first(row: Row) -> tuple[Any, ...]:
    return row["received_ts"], row["payload_hash"], row["sent_ts"] or datetime.max.replace(tzinfo=UTC)


def as_mapped(row: Row) -> str:
    texts = {name: row[name] for name in TEXTS if row[name] is not None}
    times = {n: row[n].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for n in TIMES if row[n] is not None}
    return json.dumps(texts | times, separators=(",", ":"))


EVENT_COLUMNS = (
    "event_key", "session_user", "item_id", "event_type", "event_ts", "received_ts", "clock", "status",
    "is_bot", "payload_hash", "event_id", "device_id", "user_id", "created_ts", "sent_ts", "user_agent",
)  # fmt: skip


def event_tuple(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in EVENT_COLUMNS)


SESSION_COLUMNS = (
    "session_user", "opened_ts", "part", "session_id", "start_ts", "end_ts", "n_events", "item_ids",
    "event_types", "event_times", "is_bot", "stitched_user_id",
)  # fmt: skip


def sessions(events: list[Row]) -> list[tuple[Any, ...]]:
    """Rows of `sessions` in the order of SESSION_COLUMNS."""
    by_user: dict[str, list[Row]] = defaultdict(list)
    for row in events:
        if row["status"] == "accepted":
            by_user[row["session_user"]].append(row)
    found = []
    for user, rows in by_user.items():
        rows.sort(key=lambda row: (row["event_ts"], row["received_ts"], row["event_key"]))
        opened: list[list[Row]] = []
        for row in rows:
            if not opened or row["event_ts"] - opened[-1][-1]["event_ts"] > GAP:
                opened.append([])
            opened[-1].append(row)
        for session in opened:
            found += parts(user, session)
    return found


def is_steady(session: list[Row]) -> bool:
    times = [row["event_ts"] for row in session]
    pauses = [(later - time) // timedelta(milliseconds=1) for time, later in pairwise(times)]
    if len(session) < STEADY_EVENTS or not sum(pauses):
        return False
    return pstdev(pauses) / fmean(pauses) < STEADY_VARIATION


def parts(user: str, session: list[Row]) -> list[tuple[Any, ...]]:
    start = session[0]["event_ts"]
    cut: list[list[Row]] = []
    stretch = -1
    for row in session:
        # A stretch is over when the time since the start is over a multiple of the cap
        own = max(0, -((start - row["event_ts"]) // LONGEST) - 1) if row["event_ts"] > start else 0
        if own != stretch or len(cut[-1]) == MOST:
            cut.append([])
            stretch = own
        cut[-1].append(row)
    minutes = (session[-1]["event_ts"] - start) / timedelta(minutes=1)
    is_fast = minutes >= 1 and len(session) > minutes * BOT_RATE
    is_long = session[-1]["event_ts"] - start >= RESTLESS
    is_bot = any(row["is_bot"] for row in session) or is_fast or is_long or is_steady(session)
    login = next((row["user_id"] for row in session if row["user_id"]), None)
    rows = []
    for number, part in enumerate(cut, start=1):
        identity = json.dumps([SITE, user, str(micros(start)), str(number)], separators=(",", ":"))
        rows.append(
            (
                user, start, number, hashlib.sha256(identity.encode()).hexdigest()[:32],
                part[0]["event_ts"], part[-1]["event_ts"], len(part),
                tuple(row["item_id"] for row in part), tuple(row["event_type"] for row in part),
                tuple(row["event_ts"] for row in part), is_bot, login,
            )
        )  # fmt: skip
    return rows
