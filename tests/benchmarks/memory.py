"""The most memory that a process and all that it started had resident, while something ran."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PAGES_A_MB = (1 << 20) // os.sysconf("SC_PAGE_SIZE")


@dataclass
class Peak:
    """Grows while it is watched."""

    mb: float = 0

    @contextmanager
    def watched(self, pid: int) -> Iterator[None]:
        done = threading.Event()

        def watch() -> None:
            while not done.is_set():
                self.mb = max(self.mb, sum(map(_pages, _family(pid))) / PAGES_A_MB)
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
