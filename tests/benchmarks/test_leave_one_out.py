import json
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from lstmrec.config import Config
from lstmrec.lake.model_tables import SEQUENCES
from lstmrec.lake.store import Lake
from tests.benchmarks import experiment, item_sequences, leave_one_out
from tests.benchmarks.whole import figures_of


def test_a_line_becomes_the_splits_of_its_user(
    spark: SparkSession, lake: Lake, config: Config, tmp_path: Path
) -> None:
    file = tmp_path / "items.txt"
    file.write_text("9 b a c d\n\n7 a b\n")
    log = item_sequences.read(file)
    assert (log.users, log.n_events) == (("9", "7"), 6)
    item_sequences.write(lake, item_sequences.sessions(spark, log), config)
    rows = {
        (r["split"], r["user_id"]): (r["items"][: r["length"]], r["target"])
        for r in lake.read(SEQUENCES).collect()
    }
    assert rows == {  # a to d have indices 1 to 4
        ("train", "9"): ([2, 1], 0),
        ("validation", "9"): ([2, 1], 3),
        ("train_and_validation", "9"): ([2, 1, 3], 0),
        ("test", "9"): ([2, 1, 3], 4),
        ("score", "9"): ([2, 1, 3, 4], 0),
        ("train", "7"): ([1, 2], 0),
        ("train_and_validation", "7"): ([1, 2], 0),
        ("score", "7"): ([1, 2], 0),
    }
    train = lake.read(SEQUENCES).where("split = 'train'")
    assert experiment.size_of(train) == (2, 2)


@pytest.mark.slow
def test_planted_successors_are_found_over_the_whole_road(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    lines = []
    for user in range(300):
        first = int(rng.integers(30))
        lines.append(" ".join([f"u{user}", *(f"i{(first + place) % 30:02d}" for place in range(8))]))
    (tmp_path / "items.txt").write_text("\n".join(lines))
    flags = [
        "--sequences",
        str(tmp_path / "items.txt"),
        "--seeds",
        "1",
        "2",
        "--minutes",
        "15",
        "--baselines",
    ]
    monkeypatch.setattr(leave_one_out.search, "MOST_EPOCHS", 15)
    monkeypatch.setattr(leave_one_out.search, "STAGES", ())
    monkeypatch.setattr(leave_one_out.item_baselines, "WINDOWS", (1,))
    monkeypatch.setattr(leave_one_out.item_baselines, "DAMPINGS", (0.0,))
    got = figures_of(leave_one_out, flags, tmp_path / "out.json", spark, monkeypatch)
    assert got["test"]["mean"]["recall@1"] > 0.9
    assert set(got["test"]["per_seed"]) == {"1", "2"}
    assert set(got["validation"]["per_seed"]) == {"1"}  # settings and epochs are the first seed's
    assert got["trained_on"] == "train_and_validation"
    recall = {name: of["test"]["mean"]["recall@10"] for name, of in got["baselines"].items()}
    for name in ("last_item_covisitation", "item_knn"):
        assert recall[name] > 0.9
    assert recall["binary_classifier"] > 0.6  # it learns slowly
    assert recall["popularity"] < 0.5  # a third, by chance
    assert "validation accuracy" in (tmp_path / "out.classifier.html").read_text()
    assert len((tmp_path / "out.ranks.tsv").read_text().splitlines()) == 301


@pytest.mark.slow
def test_attributes_are_chosen_where_they_tell_items_that_nobody_had_before(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind follows kind by turns; a user's last two items are in no train row, and of their kinds."""
    rng = np.random.default_rng(1)
    lines = []
    for user in range(240):
        steps = (int(rng.integers(8)) + np.arange(rng.integers(5, 9))) % 8
        places = [f"warm{rng.integers(5)}" for _ in steps[2:]] + [f"new{rng.integers(2)}" for _ in range(2)]
        lines.append(" ".join([f"u{user}", *(f"{k}-{p}" for k, p in zip(steps, places, strict=True))]))
    (tmp_path / "items.txt").write_text("\n".join(lines))
    items = {item for line in lines for item in line.split()[1:]} - {"0-warm0"}  # of one nothing is told
    told = {item: [int(item[0])] for item in items} | {"nobody had it": [1]}
    (tmp_path / "attributes.json").write_text(json.dumps(told))
    flags = ["--sequences", str(tmp_path / "items.txt"), "--attributes", str(tmp_path / "attributes.json")]
    flags += ["--seeds", "1"]
    quick = {
        "width": 32,
        "embedding_dropout": 0.1,
        "learning_rate": 0.01,
        "events_a_step": 160,
        "later_items": 0.0,
    }
    monkeypatch.setattr(leave_one_out.search, "START", leave_one_out.search.START | quick)
    monkeypatch.setattr(leave_one_out.search, "STAGES", ())
    monkeypatch.setattr(leave_one_out.search, "MOST_EPOCHS", 16)
    monkeypatch.setattr(leave_one_out.search, "PATIENCE", 16)
    got = figures_of(leave_one_out, flags, tmp_path / "out.json", spark, monkeypatch)
    assert got["attributes"] == {"items_with": 55, "items_without": 1, "unknown_items": 1, "attributes": 8}
    assert got["chosen"]["use_item_attributes"]
    assert [trial["settings"]["use_item_attributes"] for trial in got["trials"]] == [True, False]
    assert got["test"]["mean"]["recall@10"] > 0.9
    assert got["trials"][1]["ndcg_at_10"] < 0.2 < got["trials"][0]["ndcg_at_10"]
