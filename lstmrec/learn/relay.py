"""The lines of the ranks, brought into the launching process's log."""

import logging
import re
from typing import Final

_PREFIX: Final = re.compile(r"^(?:\w{3} \w{3} [^\[]*)?\[[\d,]+\]<std(?:out|err)>:\s?")
# TensorFlow's own chatter about devices, which no log level of its own keeps away
_CHATTER: Final = re.compile(r"^(WARNING: All log messages before absl|I\d{4} \d\d:\d\d:\d)")
_FAILED: Final = re.compile(r"training failed on rank \d+: .*")


def failure_line(rank: str, error: BaseException) -> str:
    """What a failing rank prints, for the launcher to find."""
    reason = " ".join(str(error).split())
    return f"training failed on rank {rank}: {reason or type(error).__name__}"


class Relay:
    """A text stream that logs each line written to it, and keeps the first failure among them."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._unfinished = ""
        self.failure: str | None = None

    def write(self, text: str) -> int:
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        for line in lines:
            self._take(_PREFIX.sub("", line).rstrip())
        return len(text)

    def flush(self) -> None:
        """Nothing waits but an unfinished line."""

    def _take(self, line: str) -> None:
        failed = _FAILED.search(line)
        if failed and self.failure is None:
            self.failure = failed.group()
        if line and not _CHATTER.match(line):
            self._log.info("%s", line)
