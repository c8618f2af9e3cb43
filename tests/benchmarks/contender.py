"""An engine at a task of a benchmark, and the memory that its processes take."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PAGES_A_MB = (1 << 20) // os.sysconf("SC_PAGE_SIZE")


@dataclass
class Contender:
    """An engine at a task: the seconds it takes for a log, and what it finds there."""

    task: str
    engine: str
    pid: int
    seconds: Callable[[Path], float]
    found: Callable[[Path], Sequence[int]]
    peak_mb: float = 0
    took: dict[Path, list[float]] = field(default_factory=dict)

    def measure(self, log: Path) -> None:
        """Add a run to `took`, and raise `peak_mb` to the most that was resident meanwhile."""
        with self._watched():
            seconds = self.seconds(log)
        self.took.setdefault(log, []).append(seconds)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        done = threading.Event()

        def watch() -> None:
            while not done.is_set():
                self.peak_mb = max(self.peak_mb, sum(map(_pages, _family(self.pid))) / PAGES_A_MB)
                done.wait(0.05)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _family(pid: int) -> Iterator[int]:
    """The process and all that it started."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(thread).split():
            yield from _family(int(child))


def _pages(pid: int) -> int:
    """What is resident; pages that a fork shares count for each."""
    return int((_read(Path(f"/proc/{pid}/statm")) or "0 0").split()[1])


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return ""
