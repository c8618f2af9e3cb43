"""The cut of whole users' events into sessions and their parts, on arrays: what each Spark task does.

A task holds the rows of one shuffle partition as Arrow columns, and some int64 arrays beside them: about
300 bytes an event with ids of 40 characters, whatever the users. No user is ever one row or one list, but all
events of a user are in one task: more shuffle partitions make the other tasks smaller, not that one.
Why so, and what else was tried: docs/decisions/fast-session-cut.md.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lstmrec import columns as c
from lstmrec.prepare import bots

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EVENT_COLUMNS: Final = (
    c.SITE,
    c.SESSION_USER,
    c.EVENT_TS,
    c.RECEIVED_TS,
    c.EVENT_KEY,
    c.ITEM_ID,
    c.EVENT_TYPE,
    c.IS_BOT,
    c.USER_ID,
)
"""What of an event the cut reads; nothing else needs to go through the shuffle."""

_EVENTS_A_BATCH: Final = 1 << 16  # of what goes back to Spark at a time
_MAX_TEXT_BYTES: Final = (1 << 31) - 1  # in one array of pa.string()
_TIME: Final = pa.timestamp("us", "UTC")


class Limits(NamedTuple):
    """The rules as plain numbers; times are in microseconds."""

    gap: int
    max_duration: int
    max_events: int
    bots: bots.Limits


class Cut(NamedTuple):
    """Where the parts begin in the ordered events, the session each is of, and what holds of sessions."""

    part_starts: Ints
    session_of_part: Ints
    part: Ints
    session_starts: Ints
    is_bot: Flags


def fold(batches: Iterable[pa.RecordBatch], limits: Limits) -> Iterator[pa.RecordBatch]:
    """One row per session part of the events in `batches`, which hold all events of each of their users."""
    events = contiguous(batches)
    if events.num_rows == 0:
        return
    users = user_codes(events[c.SITE], events[c.SESSION_USER])
    order = _in_order(users, events)
    found = cut(users[order], micros(events[c.EVENT_TS])[order], limits)
    yield from _rows(events, order, found)


def user_codes(*names: pa.ChunkedArray) -> Ints:
    """A number per row, equal where all `names` are."""
    codes = np.zeros(len(names[0]), dtype=np.int64)
    for name in names:
        encoded = name.combine_chunks().dictionary_encode()
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
    return codes


def micros(times: pa.ChunkedArray) -> Ints:
    """Microseconds since 1970."""
    found: Ints = times.cast(pa.int64()).to_numpy()
    return found


def opens_session(users: Ints, times: Ints, gap: int) -> Flags:
    """Whether each event, in order of user and time, begins a session: a pause of exactly `gap` does not."""
    return _differs(users) | (np.diff(times, prepend=times[:1]) > gap)


def cut(users: Ints, times: Ints, limits: Limits) -> Cut:
    """Cut events, in order of user and time, into sessions, and these into parts numbered from 1.

    A part ends after each stretch of max_duration since the session's start, and within a stretch after
    each max_events events. Which sessions are of bots by their times: see bots.py.
    """
    opens = opens_session(users, times, limits.gap)
    session_starts, session = np.flatnonzero(opens), np.cumsum(opens) - 1
    elapsed = times - times[session_starts][session]

    opens_stretch = opens | _differs(np.maximum(elapsed - 1, 0) // limits.max_duration)
    stretch_starts, stretch = np.flatnonzero(opens_stretch), np.cumsum(opens_stretch) - 1
    place = np.arange(times.size) - stretch_starts[stretch]
    part_starts = np.flatnonzero(place % limits.max_events == 0)

    session_of_part = session[part_starts]
    part = np.arange(part_starts.size) - np.searchsorted(part_starts, session_starts)[session_of_part] + 1
    is_bot = bots.are_bots(times, session_starts, limits.bots)
    return Cut(part_starts, session_of_part, part, session_starts, is_bot)


def _in_order(users: Ints, events: pa.Table) -> Ints:
    """Rows by user, event_ts, received_ts, event_key: the keys are compared where the rest is equal."""
    times, received = micros(events[c.EVENT_TS]), micros(events[c.RECEIVED_TS])
    order: Ints = np.lexsort((received, times, users))
    is_new = _differs(users[order]) | _differs(times[order]) | _differs(received[order])
    tied = np.flatnonzero(~is_new | ~np.append(is_new[1:], True))
    if tied.size:
        rows = order[tied]
        keys = pc.rank(events[c.EVENT_KEY].take(pa.array(rows)).combine_chunks(), tiebreaker="dense")
        order[tied] = rows[np.lexsort((keys.to_numpy(), np.cumsum(is_new)[tied]))]
    return order


def _rows(events: pa.Table, order: Ints, found: Cut) -> Iterator[pa.RecordBatch]:
    """The parts as rows, some ten thousand events at a time."""
    of_session = {
        c.OPENED_TS: micros(events[c.EVENT_TS])[order[found.session_starts]],
        c.IS_BOT: _any(events[c.IS_BOT].to_numpy()[order], found.session_starts) | found.is_bot,
        c.STITCHED_USER_ID: _first_known(events[c.USER_ID], order, found.session_starts),
    }
    bounds = np.append(found.part_starts, order.size)
    cuts = np.searchsorted(found.part_starts, np.arange(0, order.size, _EVENTS_A_BATCH))
    for first, last in zip(np.unique(cuts), np.append(np.unique(cuts)[1:], bounds.size - 1), strict=True):
        if first < last:
            yield _batch(events, order, found, of_session, slice(first, last), bounds[first : last + 1])


def _batch(
    events: pa.Table, order: Ints, found: Cut, of_session: dict[str, Any], parts: slice, bounds: Ints
) -> pa.RecordBatch:
    rows = order[bounds[0] : bounds[-1]]
    starts, session = bounds[:-1] - bounds[0], found.session_of_part[parts]
    times = micros(events[c.EVENT_TS])[rows]
    offsets = pa.array(bounds - bounds[0], pa.int32())
    opener = pa.array(rows[starts])
    return pa.RecordBatch.from_pydict(
        {
            c.SITE: _texts(events[c.SITE], opener),
            c.SESSION_USER: _texts(events[c.SESSION_USER], opener),
            c.OPENED_TS: pa.array(of_session[c.OPENED_TS][session], _TIME),
            c.PART: pa.array(found.part[parts], pa.int32()),
            c.START_TS: pa.array(times[starts], _TIME),
            c.END_TS: pa.array(times[bounds[1:] - bounds[0] - 1], _TIME),
            c.N_EVENTS: pa.array(np.diff(bounds), pa.int32()),
            c.ITEM_IDS: pa.ListArray.from_arrays(offsets, _texts(events[c.ITEM_ID], pa.array(rows))),
            c.EVENT_TYPES: pa.ListArray.from_arrays(offsets, _texts(events[c.EVENT_TYPE], pa.array(rows))),
            c.EVENT_TIMES: pa.ListArray.from_arrays(offsets, pa.array(times, _TIME)),
            c.IS_BOT: pa.array(of_session[c.IS_BOT][session]),
            c.STITCHED_USER_ID: _texts(of_session[c.STITCHED_USER_ID], pa.array(session)),
        }
    )


def contiguous(batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """All rows in one chunk a column."""
    held = list(batches)
    if not held:
        return pa.table({})
    events = pa.Table.from_batches(held)
    del held
    fields = [pa.field(f.name, _wide_enough(events[f.name])) for f in events.schema]
    return events.cast(pa.schema(fields)).combine_chunks()


def _wide_enough(column: pa.ChunkedArray) -> pa.DataType:
    """A type with room for the whole column in one chunk; widening copies it, so only where it must be."""
    is_over = column.type == pa.string() and column.nbytes > _MAX_TEXT_BYTES
    return pa.large_string() if is_over else column.type


def _texts(column: Any, rows: pa.Array) -> pa.Array:
    taken = column.take(rows)
    return (taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken).cast(pa.string())


def _first_known(column: pa.ChunkedArray, order: Ints, starts: Ints) -> pa.Array:
    """The first value that is not null of each stretch of the order, null where there is none."""
    known = np.flatnonzero(column.is_valid().to_numpy()[order])
    place = np.searchsorted(known, starts)
    first = np.append(known, order.size)[place]
    is_own = first < np.append(starts[1:], order.size)
    rows = np.where(is_own, order[np.minimum(first, order.size - 1)], 0)
    return column.take(pa.array(rows, mask=~is_own)).combine_chunks()


def _any(flags: Flags, starts: Ints) -> Flags:
    found: Flags = np.logical_or.reduceat(flags, starts)
    return found


def _differs(values: Ints) -> Flags:
    """Whether each value differs from the one before; the first does."""
    found: Flags = np.append(True, values[1:] != values[:-1])
    return found
