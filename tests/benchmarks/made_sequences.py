"""A made file of item sequences, to see how a benchmark bears many users, items or events.

An item comes after one of its twelve neighbours, or by the user's tastes among eighteen clusters and its
popularity; nobody has an item twice. Equal flags give equal files.

    python -m tests.benchmarks.made_sequences --users 6000 --items 3700 --least 20 --mean 185 --out FILE
"""

import argparse
from pathlib import Path

import numpy as np

CLUSTERS = 18
NEIGHBOURS = 12
BY_NEIGHBOUR = 0.55
RECENT = 4
MOST = 2300


class Maker:
    """Histories of users, one after the other, over the same items."""

    def __init__(self, n_items: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        popularity = self._rng.permutation(1 / (np.arange(1, n_items + 1) + 20.0) ** 0.9)
        clusters = self._rng.integers(0, CLUSTERS, n_items)
        self._members = [np.flatnonzero(clusters == own) for own in range(CLUSTERS)]
        shares = [popularity[own] / popularity[own].sum() for own in self._members]
        self._up_to = [np.cumsum(own) for own in shares]
        self._near = np.stack(
            [self._rng.choice(self._members[own], NEIGHBOURS, p=shares[own]) for own in clusters]
        )
        self._most = min(n_items // 2, MOST)

    def history(self, least: int, mean: int) -> list[int]:
        """Different items, `least` or more unless chance brings too few, oldest first."""
        wanted = min(least + int(self._rng.exponential(mean - least)), self._most)
        taste = self._rng.dirichlet(np.full(CLUSTERS, 0.25)).cumsum()
        history: list[int] = []
        had: set[int] = set()
        for how, first, second, _ in self._rng.random((3 * wanted, 4)):
            if len(history) == wanted:
                break
            if history and how < BY_NEIGHBOUR:
                latest = history[-1 - int(first**2 * min(RECENT, len(history)))]
                item = int(self._near[latest, int(second**2 * NEIGHBOURS)])
            else:
                own = min(CLUSTERS - 1, int(np.searchsorted(taste, first)))
                place = int(np.searchsorted(self._up_to[own], second))
                item = int(self._members[own][min(len(self._members[own]) - 1, place)])
            if item not in had:
                had.add(item)
                history.append(item)
        return history


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--items", type=int, required=True, help="at most: one that nobody has is not there")
    parser.add_argument("--least", type=int, default=5, help="items a user, as a rule (%(default)s)")
    parser.add_argument("--mean", type=int, default=9, help="about so many items a user (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    flags = parser.parse_args()
    maker = Maker(flags.items, flags.seed)
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    with flags.out.open("w") as out:
        for user in range(flags.users):
            items = " ".join(f"i{item}" for item in maker.history(flags.least, flags.mean))
            out.write(f"u{user} {items}\n")


if __name__ == "__main__":
    main()
