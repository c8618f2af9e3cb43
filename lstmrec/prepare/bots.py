"""Which sessions no person makes, by their times alone; what a user agent says is found at ingestion."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MICROS_A_MINUTE: Final = 60_000_000
_MICROS_A_MILLI: Final = 1_000


class Limits(NamedTuple):
    """What people stay below; durations are in microseconds."""

    events_per_minute: float
    duration: int
    steady_events: int
    steady_variation: float


def are_bots(times: Ints, starts: Ints, limits: Limits) -> Flags:
    """Whether each session is too fast, too long or too steady for a person.

    `times` are of all sessions, one after the other, each in order; a session begins at each of
    `starts`. Fast: at least a minute long, with more than `events_per_minute`. Long: at least
    `duration` from its first event to its last. Steady: at least `steady_events` events whose pauses
    have a coefficient of variation below `steady_variation`.

    The coefficient, standard deviation over mean, is of pauses in whole milliseconds: sums of their
    squares are exact integers up to three million pauses of half an hour, so that the flag is the
    same whatever the events were summed with. Even pauses as the mark of a robot: Tan and Kumar,
    "Discovery of Web Robot Sessions Based on their Navigational Patterns", Data Mining and Knowledge
    Discovery 6, 2002.
    """
    ends = np.append(starts[1:], times.size)
    n_events = ends - starts
    duration = times[ends - 1] - times[starts]
    minutes = duration / _MICROS_A_MINUTE
    is_fast = (minutes >= 1) & (n_events > minutes * limits.events_per_minute)
    is_long = duration >= limits.duration
    found: Flags = is_fast | is_long | _are_steady(times, starts, ends, limits)
    return found


def _are_steady(times: Ints, starts: Ints, ends: Ints, limits: Limits) -> Flags:
    pauses = np.diff(times, append=times[-1:]) // _MICROS_A_MILLI
    pauses[ends - 1] = 0  # to the next session
    total = np.add.reduceat(pauses, starts).astype(float)
    squares = np.add.reduceat(pauses * pauses, starts).astype(float)
    n_pauses, bound = ends - starts - 1, 1 + limits.steady_variation**2
    # variance / mean^2 = n sum(p^2) / sum(p)^2 - 1
    found: Flags = (n_pauses + 1 >= limits.steady_events) & (n_pauses * squares < bound * total * total)
    return found
