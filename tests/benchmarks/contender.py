"""An engine at a task of a benchmark, with the seconds and the memory that it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.memory import Peak


@dataclass
class Contender:
    """An engine at a task: the seconds it takes for a log, and what it finds there."""

    task: str
    engine: str
    pid: int
    seconds: Callable[[Path], float]
    found: Callable[[Path], Sequence[int]]
    peak: Peak = field(default_factory=Peak)
    took: dict[Path, list[float]] = field(default_factory=dict)

    def measure(self, log: Path) -> None:
        """Add a run to `took`, and raise `peak` to the most that was resident meanwhile."""
        with self.peak.watched(self.pid):
            seconds = self.seconds(log)
        self.took.setdefault(log, []).append(seconds)
