"""What the tests of the samples share: reading a written log back, line by line."""

import gzip
import json
from pathlib import Path
from typing import Any


def lines_of(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def records_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of(path)]


def events_of(log: Path) -> dict[str, list[dict[str, Any]]]:
    """The events of each day's folder, by the folder's name."""
    return {path.parent.name: records_of(path) for path in sorted(log.glob("events/*/*.json.gz"))}


def bytes_of(log: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(log)): path.read_bytes() for path in sorted(log.rglob("*")) if path.is_file()
    }
