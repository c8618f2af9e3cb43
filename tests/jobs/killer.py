"""Runs jobs as their scripts do, and kills itself, its JVM included, at the nth write to the lake.

killer.py N before|inside LAKE JOB,JOB... FLAGS... : `before` the nth write begins, or `inside` it, once
it has left a data file and no commit yet. Without an nth write it ends well and prints how many there were.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from delta.tables import DeltaMergeBuilder
from pyspark.sql import DataFrameWriter

from tests.jobs.shop import ROOT, job


class Killer:
    def __init__(self, at: int, where: str, lake: Path) -> None:
        self._at, self._where, self._lake = at, where, lake
        self.writes = 0

    def around(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            self.writes += 1
            if self.writes != self._at:
                return write(*args)
            if self._where == "before":
                die()
            threading.Thread(target=self._die_at_a_new_file, args=(self._files(),), daemon=True).start()
            write(*args)
            die()  # no data file came: killed right after the commit
            return None

        return counted

    def _die_at_a_new_file(self, known: set[Path]) -> None:
        while not self._files() - known:
            time.sleep(0.002)
        die()

    def _files(self) -> set[Path]:
        return set(self._lake.rglob("*.parquet"))


def die() -> None:
    os.killpg(0, signal.SIGKILL)


def run(
    at: int, where: str, lake: Path, jobs: Sequence[str], flags: Sequence[str]
) -> "subprocess.CompletedProcess[str]":
    """This script, in a process group of its own."""
    command = (sys.executable, "-m", "tests.jobs.killer", str(at), where, str(lake), ",".join(jobs), *flags)
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, start_new_session=True, check=False
    )


if __name__ == "__main__":
    killer = Killer(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
    DataFrameWriter.save = killer.around(DataFrameWriter.save)  # type: ignore[method-assign]
    DeltaMergeBuilder.execute = killer.around(DeltaMergeBuilder.execute)  # type: ignore[method-assign]
    for name in sys.argv[4].split(","):
        job(name)(sys.argv[5:])
    print(f"{killer.writes} writes")
