"""The whole benchmark of sessions on planted clicks: each goes on to the next of 30 items."""

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from lstmrec.lake.model_tables import SEQUENCES
from lstmrec.lake.store import Lake
from tests.benchmarks import click_sessions, quality, search, session_next_item
from tests.benchmarks.click_sessions import ONE_DAY, Session
from tests.benchmarks.whole import figures_of

HEADER = "SessionId\tItemId\tTime\n"


def test_the_last_day_is_validation_position_by_position(lake: Lake, tmp_path: Path) -> None:
    config = quality.base_config(tmp_path, "session", (3, 5), {"use_event_types": False})
    train = [
        Session("a", ("x", "y", "x"), (10.0, 20.0, 30.0)),
        Session("b", ("y", "y"), (ONE_DAY, ONE_DAY + 31)),
    ]
    test = [Session("c", ("y", "x"), (2 * ONE_DAY, 2 * ONE_DAY + 5))]
    click_sessions.write(lake, train, test, config)
    rows = {
        (r["split"], r["sequence_id"]): (r["items"][: r["length"]], r["target"], r["seen"])
        for r in lake.read(SEQUENCES).collect()
    }
    assert rows == {  # x and y have indices 1 and 2; a ends more than a day before b
        ("train", "a"): ([1, 2, 1], 0, []),
        ("train_and_validation", "a"): ([1, 2, 1], 0, []),
        ("train_and_validation", "b"): ([2, 2], 0, []),
        ("validation", "b/1"): ([2], 2, []),
        ("test", "c/1"): ([2], 1, []),
    }


@pytest.mark.slow
def test_planted_clicks_are_foretold_over_the_whole_road(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, first, n in (("train", 0, 300), ("test", 300, 40)):
        (tmp_path / f"{name}.tsv").write_text(HEADER + clicks(first, n))
    flags = ["--train", str(tmp_path / "train.tsv"), "--test", str(tmp_path / "test.tsv"), "--minutes", "20"]
    monkeypatch.setattr(search, "MOST_EPOCHS", 25)
    monkeypatch.setattr(session_next_item, "STAGES", ())
    got = figures_of(session_next_item, [*flags, "--seeds", "1"], tmp_path / "out.json", spark, monkeypatch)
    assert got["test"]["mean"]["recall@1"] > 0.9
    assert got["baselines"]["item_knn"]["test"]["recall@20"] > 0.9
    assert got["dropped_unknown_items"] == 1
    assert len((tmp_path / "out.ranks.tsv").read_text().splitlines()) == 1 + 40 * 3


def clicks(first: int, n: int) -> str:
    """Sessions of four clicks, ten minutes apart; the 301st has a click on an unknown item besides."""
    rng = np.random.default_rng(first)
    lines = []
    for session in range(first, first + n):
        start = int(rng.integers(30))
        items = [f"i{(start + place) % 30:02d}" for place in range(4)] + ["new"] * (session == 300)
        lines += [f"{session}\t{item}\t{session * 600 + place}.5" for place, item in enumerate(items)]
    return "\n".join(lines) + "\n"
