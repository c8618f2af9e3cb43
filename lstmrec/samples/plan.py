"""The plan of a synthetic log: its size, and the strength of what is planted in it."""

import dataclasses
from dataclasses import dataclass
from datetime import date

import numpy as np

from lstmrec.samples.raw_log import SampleError


@dataclass(frozen=True)
class SyntheticPlan:
    """The size of the log and the strength of what is planted in it.

    A walk that is long against its cluster comes back to items it has seen. Where an evaluation
    leaves seen items out, keep `items / clusters` well above a user's number of events.
    """

    users: int = 200
    items: int = 240
    days: int = 7
    start_day: date = date(2026, 1, 5)
    sessions_per_user: float = 4.0  # mean, at least 1
    events_per_session: float = 5.0  # mean, at least 1
    clusters: int = 4
    p_successor: float = 0.7
    p_own_cluster: float = 0.8  # of the steps that do not follow the successor
    zipf_exponent: float = 1.0
    account_share: float = 0.6  # of users; the others are never logged in and have one device
    late_login_share: float = 0.5  # of accounts; the others are logged in from their first event
    several_devices_share: float = 0.3  # of accounts; each session is then on one of two or three
    noise: bool = False  # every item is drawn alike and alone: nothing can be learnt
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("users", "days", "clusters", "sessions_per_user", "events_per_session"):
            if getattr(self, name) < 1:
                raise SampleError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in (
            f.name for f in dataclasses.fields(self) if f.name.startswith("p_") or f.name.endswith("_share")
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise SampleError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        if self.items < 2 * self.clusters:
            raise SampleError(f"items must be at least twice the {self.clusters} clusters, got {self.items}")
        if self.zipf_exponent < 0 or self.seed < 0:
            raise SampleError(
                f"zipf_exponent and seed must not be negative, got {self.zipf_exponent}, {self.seed}"
            )

    def rng(self, part: str) -> np.random.Generator:
        """The random stream of one part of the log: a change to one part leaves the others alone."""
        return np.random.default_rng([self.seed, *part.encode()])
