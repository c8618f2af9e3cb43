"""Users whose preferences are known: how likely each clicks an item of the list, once shown it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tests.planted_lists import Click
from tests.prepare.factories import at

Offered = Mapping[str, Sequence[str]]
"""User -> items of the list."""


@dataclass(frozen=True)
class Population:
    """Two kinds of users in equal number, `likes` each by item: the chance of a click, whatever the place."""

    size: int
    likes: Sequence[Mapping[str, float]]
    comes: float
    """The chance that a user comes at all on the day."""

    @property
    def users(self) -> list[str]:
        return [f"user-{number}" for number in range(self.size)]

    def liking(self, user: str) -> Mapping[str, float]:
        return self.likes[int(user.removeprefix("user-")) % len(self.likes)]

    def value(self, policy: Offered) -> float:
        """What a place of the lists is truly worth: the mean chance of its click."""
        chances = [self.liking(user)[item] for user, items in policy.items() for item in items]
        return float(np.mean(chances))

    def clicks(self, offered: Offered, seed: int) -> list[Click]:
        """A day of events: who comes looks at the first page, and clicks on what they like of their list."""
        rng = np.random.default_rng(seed)
        return [click for user in self.users for click in self._day(user, offered[user], rng)]

    def _day(self, user: str, items: Sequence[str], rng: np.random.Generator) -> Iterable[Click]:
        if rng.random() >= self.comes:
            return
        yield user, at("10:00"), "first page", "view"
        for minute, item in enumerate(items, start=1):
            if rng.random() < self.liking(user)[item]:
                yield user, at("10:00") + timedelta(minutes=minute), item, "view"
