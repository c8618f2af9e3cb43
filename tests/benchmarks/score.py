"""How fast lists are ranked, next to faiss, to numpy and to the bare matrix product.

All take turns on the same vectors with one thread each, as a Spark task has: each user's best --n of --items,
the --seen items of the user left out. numpy is a product and argpartition; faiss its exact IndexFlatIP, asked
for n + seen items, from which the seen ones are taken; gemm the product alone, the most that can be reached.
faiss runs in the analysts' environment, as a process of its own. OMP_NUM_THREADS=1 is the caller's to set.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lstmrec.rank.top_n import BLOCKED, block, top_n
from lstmrec.scoring import rows_per_block

ROOT = Path(__file__).parents[2]
NUMPY_ROWS = 256

Array = Any


def ours(users: Array, matrix: Array, seen: Array, n: int) -> Array:
    """As lstmrec.scoring ranks: in blocks, seen items out, ties by index."""
    rows = rows_per_block(len(matrix) - 1)
    best = []
    for start in range(0, len(users), rows):
        scores = users[start : start + rows] @ matrix.T
        own = seen[start : start + rows]
        block(scores, (np.repeat(np.arange(len(own)), own.shape[1]), own.ravel()))
        best.append(top_n(scores, n))
    return np.vstack(best)


def by_numpy(users: Array, matrix: Array, seen: Array, n: int) -> Array:
    best = []
    for start in range(0, len(users), NUMPY_ROWS):
        scores = users[start : start + NUMPY_ROWS] @ matrix.T
        own = seen[start : start + NUMPY_ROWS]
        scores[np.repeat(np.arange(len(own)), own.shape[1]), own.ravel()] = BLOCKED
        found = np.argpartition(-scores, n, axis=1)[:, :n]
        order = np.argsort(-np.take_along_axis(scores, found, axis=1), axis=1, kind="stable")
        best.append(np.take_along_axis(found, order, axis=1))
    return np.vstack(best)


def gemm(users: Array, matrix: Array, seen: Array, n: int) -> Array:
    for start in range(0, len(users), NUMPY_ROWS):
        users[start : start + NUMPY_ROWS] @ matrix.T
    return None


FAISS = """
import json, sys, time
import faiss, numpy as np
folder, n = sys.argv[1], int(sys.argv[2])
faiss.omp_set_num_threads(1)
users, matrix, seen = (np.load(f"{folder}/{name}.npy") for name in ("users", "matrix", "seen"))
index = faiss.IndexFlatIP(matrix.shape[1])
index.add(matrix)
for line in sys.stdin:
    started = time.perf_counter()
    _, found = index.search(users, n + seen.shape[1])
    out = (found[:, :, None] == seen[:, None, :]).any(axis=2)
    first = np.argsort(out, axis=1, kind="stable")[:, :n]
    best = np.take_along_axis(found, first, axis=1)
    print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)
    np.save(f"{folder}/faiss.npy", best)
"""


@contextmanager
def faiss(folder: Path, n: int) -> Iterator[Callable[[], float]]:
    """Ask for a run, get its seconds; what it found lies in the folder."""
    command = [str(ROOT / ".venv-analyst/bin/python"), "-c", FAISS, str(folder), str(n)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        asked, told = process.stdin, process.stdout

        def ask() -> float:
            print("go", file=asked, flush=True)
            return float(json.loads(told.readline())["seconds"])

        yield ask
        asked.close()


def timed(rank: Callable[..., Array], *given: Any) -> float:
    started = time.perf_counter()
    rank(*given)
    return time.perf_counter() - started


def spread(values: list[float]) -> tuple[float, float, float]:
    return min(values), statistics.median(values), max(values)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=12_101)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--users", type=int, help="by default a hundred million scores' worth")
    parser.add_argument("--seen", type=int, default=20, help="items left out, a user")
    parser.add_argument("--n", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, metavar="JSON")
    flags = parser.parse_args()

    rng = np.random.default_rng(20)
    n_users = flags.users or max(512, 100_000_000 // flags.items)
    matrix = rng.standard_normal((flags.items, flags.width)).astype(np.float32)
    users = rng.standard_normal((n_users, flags.width)).astype(np.float32)
    seen = np.argsort(rng.random((n_users, 50 * flags.seen)), axis=1)[:, : flags.seen]  # each once
    given = (users, matrix, seen, flags.n)
    ranked = {"ours": ours, "numpy": by_numpy, "gemm": gemm}
    took: dict[str, list[float]] = {name: [] for name in (*ranked, "faiss")}
    with tempfile.TemporaryDirectory() as folder:
        for name, array in (("users", users), ("matrix", matrix), ("seen", seen)):
            np.save(f"{folder}/{name}.npy", array)
        with faiss(Path(folder), flags.n) as ask:
            ask()
            require_agreement(
                ours(*given), {"numpy": by_numpy(*given), "faiss": np.load(f"{folder}/faiss.npy")}
            )
            for _ in range(flags.repeats):
                for name, rank in ranked.items():
                    took[name].append(timed(rank, *given))
                took["faiss"].append(ask())
    figures = figures_of(took, n_users)
    print(f"{flags.items:,} items x {flags.width}, {n_users:,} users, top {flags.n}; least, median, most")
    for name, (least, median, most) in figures["users_per_s_spread"].items():
        print(f"{name:>8} {least:>12,.0f} {median:>12,.0f} {most:>12,.0f} users/s")
    for name in ("ratio_to_faiss", "ratio_to_numpy", "share_of_gemm"):
        least, median, most = figures["spread"][name]
        print(f"{name:>16} {median:.2f} ({least:.2f}-{most:.2f})")
    if flags.out:
        flags.out.parent.mkdir(parents=True, exist_ok=True)
        asked = {
            "items": flags.items,
            "width": flags.width,
            "users": n_users,
            "seen": flags.seen,
            "n": flags.n,
        }
        flags.out.write_text(json.dumps(asked | figures, indent=2))


def require_agreement(mine: Array, others: dict[str, Array]) -> None:
    """Stop where a peer's lists are others; the last bits of a product may settle a near tie."""
    for name, found in others.items():
        share = (mine == found).mean()
        if share < 0.9999:
            raise SystemExit(f"{name} found other items: only {share:.4%} of the places are the same")


def figures_of(took: dict[str, list[float]], n_users: int) -> dict[str, Any]:
    """Ratios are of the runs of one round."""

    def against(name: str) -> tuple[float, float, float]:
        return spread([other / own for own, other in zip(took["ours"], took[name], strict=True)])

    ratios = {
        "ratio_to_faiss": against("faiss"),
        "ratio_to_numpy": against("numpy"),
        "share_of_gemm": against("gemm"),
    }
    speeds = {name: spread([n_users / seconds for seconds in runs]) for name, runs in took.items()}
    return {
        "users_per_s": speeds["ours"][1],
        **{name: of[1] for name, of in ratios.items()},
        "spread": ratios,
        "users_per_s_spread": speeds,
    }


if __name__ == "__main__":
    main()
