"""MovieLens-100K as a file: for leave_one_out (a line a user, by time, ties in file order) or temporal_split.

python -m tests.benchmarks.movielens_sequences --wheel recbole-1.2.1-py3-none-any.whl --out FILE
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from lstmrec.samples.movielens import read_wheel


def lines(ratings: Sequence[Sequence[str]]) -> list[str]:
    """User id, then item ids; `ratings` are user, item, rating, seconds."""
    of_user: dict[str, list[str]] = defaultdict(list)
    for user, item, _, _ in sorted(ratings, key=lambda rating: float(rating[3])):  # stable
        of_user[user].append(item)
    return [" ".join([user, *items]) for user, items in of_user.items()]


def events(ratings: Sequence[Sequence[str]]) -> list[str]:
    """A header, then user, item and seconds of each rating, in file order."""
    return [
        "SessionId\tItemId\tTime",
        *(f"{user}\t{item}\t{seconds}" for user, item, _, seconds in ratings),
    ]


FORMS = {"sequences": lines, "events": events}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheel", type=Path, required=True, help=".ci/sample_wheel.sh prints its path")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--form", choices=FORMS, default="sequences")
    flags = parser.parse_args()
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    flags.out.write_text("\n".join(FORMS[flags.form](read_wheel(flags.wheel)["inter"])) + "\n")


if __name__ == "__main__":
    main()
