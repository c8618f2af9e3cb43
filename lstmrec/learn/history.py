"""What a finished training told of itself, read back from its artifact."""

import json
from typing import Any

from lstmrec.learn.artifact import METRICS
from lstmrec.learn.storage import child, open_store


def read(uri: str) -> dict[str, Any] | None:
    """The TrainingResult as written, whatever its fields were then; None where the artifact is gone."""
    store, path = open_store(uri)
    try:
        with store.open_input_stream(child(path, METRICS)) as stream:
            told: dict[str, Any] = json.loads(stream.read())
    except FileNotFoundError:
        return None
    return told
