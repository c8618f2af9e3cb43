"""When the users of a synthetic log click: sessions with short pauses inside and long ones between."""

from dataclasses import dataclass

import numpy as np

from lstmrec.samples.walk import Ints

SECOND = 1_000_000  # all times here are microseconds
HOUR = 3600 * SECOND
DAY = 24 * HOUR

LONGEST_PAUSE = 600 * SECOND  # inside a session; clearly below the 30 minutes that end one
MEAN_PAUSE = 90 * SECOND
SHORTEST_BREAK = 2 * HOUR  # between two sessions of a user; clearly above them
MOST_EVENTS = 30  # of a session
MARGIN = 10 * SECOND  # before the last midnight, so that every event is received on a day of the log

LONGEST_SESSION = (MOST_EVENTS - 1) * LONGEST_PAUSE


@dataclass(frozen=True, eq=False)
class Schedule:
    """One entry per event, one user's after the other's, times rising within a user."""

    user: Ints
    session: Ints  # numbers sessions over the whole log
    since_start: Ints  # microseconds from the log's first midnight
    lengths: Ints  # events of each user


def build_schedule(
    users: int, days: int, sessions_per_user: float, events_per_session: float, rng: np.random.Generator
) -> Schedule:
    """Spread the sessions of every user over the days.

    Sessions a user and events a session are geometric with the given means, cut at what the days
    hold (three sessions a day) and at `MOST_EVENTS`. What time is left over is split by chance.
    """
    most_sessions = days * DAY // (LONGEST_SESSION + SHORTEST_BREAK)
    n_sessions = np.minimum(rng.geometric(1 / sessions_per_user, users), most_sessions)
    session_user = np.repeat(np.arange(users), n_sessions)
    opens_user = _firsts(n_sessions)

    n_events = np.minimum(rng.geometric(1 / events_per_session, session_user.size), MOST_EVENTS)
    session = np.repeat(np.arange(session_user.size), n_events)
    opens_session = _firsts(n_events)

    step = np.clip(rng.exponential(MEAN_PAUSE, session.size), SECOND, LONGEST_PAUSE).astype(np.int64)
    step[opens_session] = 0
    busy = np.add.reduceat(step, opens_session)

    before = np.full(session_user.size, SHORTEST_BREAK, dtype=np.int64)  # the time before each session
    before[opens_user] = 0
    spare = days * DAY - MARGIN - np.add.reduceat(busy + before, opens_user)
    parts = rng.exponential(1.0, session_user.size)
    whole = np.add.reduceat(parts, opens_user) + rng.exponential(1.0, users)  # and a part after the last
    before += (spare[session_user] * (parts / whole[session_user])).astype(np.int64)

    step[opens_session] = before
    elapsed = np.cumsum(step)
    user = session_user[session]
    opening_event = opens_session[opens_user]
    since_start = elapsed - (elapsed - step)[opening_event][user]
    return Schedule(user, session, since_start, np.bincount(user, minlength=users))


def _firsts(counts: Ints) -> Ints:
    """Where each run starts when runs of the given lengths lie one after the other."""
    return np.cumsum(counts) - counts
