"""Accepted events in Parquet for the benchmarks: few users have many sessions, most have few."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lstmrec import columns as c
from lstmrec.prepare.events import ACCEPTED

SEED = 20
FILES = 8
DAYS = 30
SESSION_LENGTH = 8  # events, on average
EVENTS_A_USER = 50
USER_EXPONENT, ITEM_EXPONENT = 0.9, 1.2  # of zipf's law
ITEMS = 50_000
SKEWED_SHARE = 0.25  # of all events, which a skewed log gives to one user
MINUTE = 60_000_000
START = 1_767_225_600_000_000  # 2026-01-01 UTC, in microseconds

Ints = npt.NDArray[np.int64]


def parquet(folder: Path, n: int, skewed: bool) -> Path:
    """A folder of `n` events in order of receipt, made once: a function of `n`, SEED and `skewed` alone."""
    made = folder / f"events-{n}{'-skewed' if skewed else ''}"
    if not made.exists():
        draft = made.with_suffix(".draft")
        draft.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(SEED)
        users, times = _clicks(rng, n)
        if skewed:
            users = np.where(rng.random(n) < SKEWED_SHARE, n // EVENTS_A_USER + 1, users)
        received = times + rng.integers(0, 2_000_000, n)
        by_receipt = np.argsort(received, kind="stable")
        for number, rows in enumerate(np.array_split(by_receipt, FILES)):
            events = _events(rng, users[rows], times[rows], received[rows])
            pq.write_table(events, draft / f"part-{number}.parquet", row_group_size=1 << 18)
        draft.rename(made)
    return made


def _clicks(rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
    """User and time of each event: sessions of users drawn by zipf's law, a minute between two clicks."""
    weights = np.arange(1, n // EVENTS_A_USER + 2) ** -USER_EXPONENT
    lengths = rng.geometric(1 / SESSION_LENGTH, 2 * n // SESSION_LENGTH + 100)
    sessions = int(np.searchsorted(np.cumsum(lengths), n)) + 1
    session = np.repeat(np.arange(sessions), lengths[:sessions])[:n]
    first = np.searchsorted(session, np.arange(sessions))
    user = rng.choice(weights.size, sessions, p=weights / weights.sum())
    begins = START + rng.integers(0, DAYS * 24 * 60 * MINUTE, sessions)
    elapsed = np.cumsum(rng.exponential(MINUTE, n).astype(np.int64))
    return user[session], begins[session] + elapsed - elapsed[first][session]


def _events(rng: np.random.Generator, users: Ints, times: Ints, received: Ints) -> pa.Table:
    n = users.size
    types = np.searchsorted([0.9, 0.97], rng.random(n))
    logged_in = rng.random(n) < 0.1
    keys = rng.bytes(16 * n).hex()
    return pa.table(
        {
            c.EVENT_KEY: [f"shop/{keys[32 * row : 32 * row + 32]}" for row in range(n)],
            c.SITE: _named("shop", np.zeros(n, dtype=np.int64)),
            c.SESSION_USER: _named("visitor-{:08d}", users),
            c.ITEM_ID: _named("item-{}", rng.zipf(ITEM_EXPONENT, n) % ITEMS),
            c.EVENT_TYPE: pa.array(["view", "cart", "buy"]).take(pa.array(types)),
            c.EVENT_TS: pa.array(times, pa.timestamp("us", "UTC")),
            c.RECEIVED_TS: pa.array(received, pa.timestamp("us", "UTC")),
            c.STATUS: _named(ACCEPTED, np.zeros(n, dtype=np.int64)),
            c.IS_BOT: pa.array(np.zeros(n, dtype=bool)),
            c.USER_ID: _named("user-{}", users).filter(pa.array(logged_in)).take(_places(logged_in)),
        }
    )


def _places(chosen: npt.NDArray[np.bool_]) -> pa.Array:
    """For each row its place among the chosen, null for the others."""
    return pa.array(np.cumsum(chosen) - 1, mask=~chosen)


def _named(pattern: str, numbers: Ints) -> pa.Array:
    distinct, place = np.unique(numbers, return_inverse=True)
    return pa.array([pattern.format(number) for number in distinct.tolist()]).take(pa.array(place))
