"""The raw web log as it lies on disk: one JSON object a line, one folder a day, and its catalogue.

    LOG/events/date=1997-09-20/part-00000.json.gz   the lines received on that day (UTC)
    LOG/items.jsonl.gz, LOG/users.jsonl.gz          the catalogue and the users' attributes
    LOG/_SUCCESS                                    written last: the log is whole

The same input gives the same bytes, so that a log can be compared and cached by its checksum.
"""

import gzip
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

EVENT_FILE = "part-00000.json.gz"
SUCCESS = "_SUCCESS"

Record = Mapping[str, Any]  # one JSON object


class SampleError(Exception):
    """A sample log cannot be made from what was given; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event as its line says it; a value of None is an absent key, `extra` holds the free keys.

    Times are the line's text (see `to_text`), so that a broken clock can be said too; only
    `received_ts`, which names the day's folder, has to start with a date.
    """

    event_id: str | None = None
    device_id: str | None = None
    user_id: str | None = None
    item_id: str | None = None
    event_type: str | None = None
    created_ts: str | None = None
    sent_ts: str | None = None
    received_ts: str | None = None
    user_agent: str | None = None
    extra: Record = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The UTC day of `received_ts`: the folder the line lies in."""
        try:
            return date.fromisoformat((self.received_ts or "")[:10])
        except ValueError:
            raise SampleError(
                f"event {self.event_id}: received_ts is {self.received_ts!r}, which names no day; "
                "give the line as a TextLine with its day"
            ) from None

    @property
    def text(self) -> str:
        """The line: keys in the order of the fields, then the extras by name."""
        given = zip(_KEYS, _values(self), strict=True)
        record: dict[str, Any] = {name: value for name, value in given if value is not None}
        for name in sorted(self.extra):
            if name in _KEYS:
                raise SampleError(f"event {self.event_id}: extra {name!r} hides the field of that name")
            record[name] = self.extra[name]
        return to_json(record)


_KEYS = tuple(f.name for f in fields(RawEvent) if f.name != "extra")
_values = attrgetter(*_KEYS)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line that is no event, or that does not know its own day: what stands there, and in which folder."""

    day: date
    text: str


RawLine = RawEvent | TextLine


def to_text(instant: datetime) -> str:
    """The instant as the log writes it: ISO-8601 in UTC with microseconds and a Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def to_instant(text: str) -> datetime:
    """The instant that `to_text` wrote."""
    return datetime.fromisoformat(text)


def to_json(record: Record) -> str:
    """The record as one line of JSON, keys in their given order, no spaces."""
    return _encode(record)


def by_day(lines: Iterable[RawLine]) -> list[tuple[date, list[str]]]:
    """The lines' texts under the day of their folder, days ascending; within a day in the given order."""
    days: dict[date, list[str]] = defaultdict(list)
    for line in lines:
        days[line.day].append(line.text)
    return sorted(days.items())


def write_log(
    out: Path,
    days: Iterable[tuple[date, Iterable[str]]],
    items: Iterable[Record],
    users: Iterable[Record],
) -> None:
    """Write the whole log to `out`, replacing a log that is there; `days` are consumed one at a time.

    The log is made beside `out` and moved there when it is whole: a reader sees the old log, the
    new one or none, never half of one.
    """
    with _made_beside(out) as folder:
        for day, lines in days:
            day_folder = folder / "events" / f"date={day.isoformat()}"
            day_folder.mkdir(parents=True)  # a day that comes twice is an error, never overwritten
            _write_lines(day_folder / EVENT_FILE, lines)
        _write_lines(folder / "items.jsonl.gz", map(to_json, items))
        _write_lines(folder / "users.jsonl.gz", map(to_json, users))
        (folder / SUCCESS).touch()


@contextmanager
def _made_beside(out: Path) -> Iterator[Path]:
    """A folder to fill that becomes `out` if the block ends well and vanishes if it does not."""
    out = out.absolute()
    _require_replaceable(out)
    making = out.with_name(f".{out.name}.{os.getpid()}.making")
    outgoing = out.with_name(f".{out.name}.{os.getpid()}.outgoing")
    shutil.rmtree(making, ignore_errors=True)  # a killed run's, whose process id came again
    try:
        making.mkdir(parents=True)
    except OSError as error:
        raise SampleError(f"{out}: cannot be written: {error.strerror}; give another --out") from error
    try:
        yield making
        if out.exists():
            out.rename(outgoing)
        making.rename(out)
        shutil.rmtree(outgoing, ignore_errors=True)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _require_replaceable(out: Path) -> None:
    """Stop before a folder that holds something else than a log of ours would be replaced by one."""
    if not out.exists():
        return
    if not out.is_dir():
        raise SampleError(f"{out}: is a file; give a folder as --out")
    if any(out.iterdir()) and not (out / SUCCESS).exists():
        raise SampleError(
            f"{out}: is neither empty nor a whole log ({SUCCESS} is missing); give another --out"
        )


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write the lines gzipped; the header carries no time and no name, so equal lines give equal bytes."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed,
    ):
        for line in lines:
            packed.write(line.encode() + b"\n")
