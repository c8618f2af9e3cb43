"""A split by time, by hand; and the whole benchmark on planted events: each goes on to the next item."""

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from lstmrec.lake.model_tables import SEQUENCES
from lstmrec.lake.store import Lake
from tests.benchmarks import event_times, quality, search, temporal_split
from tests.benchmarks.click_sessions import Session
from tests.benchmarks.event_times import Split
from tests.benchmarks.time_baselines import CoVisitation, Popularity
from tests.benchmarks.whole import figures_of

USERS = (
    Session("a", ("x", "y", "x", "z", "y"), (1.0, 5.0, 6.0, 8.0, 9.0)),
    Session("b", ("z", "x", "y"), (5.0, 8.0, 8.0)),
)
PARTS = Split(USERS, validation=5.0, test=8.0, n_dropped=0)


def test_the_last_tenth_of_the_events_is_the_tests_and_unknown_items_are_dropped() -> None:
    early = Session("a", tuple("xyxyxyxyxyxyxyxyxy"), tuple(map(float, range(18))))
    late = Session("b", ("x", "new"), (18.0, 19.0))
    got = event_times.split([early, late])
    assert (got.validation, got.test, got.n_dropped) == (16.0, 18.0, 1)
    assert got.users == (early, Session("b", ("x",), (18.0,)))


def test_events_after_the_instant_are_foretold_from_all_before_them_but_for_what_the_user_had() -> None:
    assert list(PARTS.asked(5.0, 8.0)) == [(("x",), "y")]  # a's second x is no news, b's z is the first event
    assert list(PARTS.asked(8.0, 99.0)) == [(("x", "y", "x"), "z"), (("z",), "x"), (("z", "x"), "y")]
    assert [user.items for user in PARTS.before(8.0)] == [("x", "y", "x"), ("z",)]


def test_the_tables_hold_the_same_split(lake: Lake, tmp_path: Path) -> None:
    config = quality.base_config(tmp_path, "user", (3, 5), {"use_event_types": False})
    event_times.write(lake, PARTS, config)
    rows = {
        (r["split"], r["sequence_id"]): (r["items"][: r["length"]], r["target"])
        for r in lake.read(SEQUENCES).collect()
    }
    assert rows == {  # x, y and z have indices 1 to 3; from a single item nothing is learnt
        ("train_and_validation", "a"): ([1, 2, 1], 0),
        ("validation", "a/1"): ([1], 2),
        ("test", "a/3"): ([1, 2, 1], 3),
        ("test", "b/1"): ([3], 1),
        ("test", "b/2"): ([3, 1], 2),
    }


def test_popularity_counts_and_covisitation_looks_up_to_so_many_places_ahead() -> None:
    assert Popularity([0, 2, 2], 4).scores([1]).tolist() == [1, 0, 2, 0]
    assert CoVisitation([[0, 1, 2, 3], [0, 2]], 4, window=2).scores([3, 0]).tolist() == [0, 1, 2, 0]


@pytest.mark.slow
def test_planted_successors_are_foretold_over_the_whole_road(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    lines = ["SessionId\tItemId\tTime"]
    for user in range(300):
        first = int(rng.integers(30))
        lines += [f"{user}\ti{(first + place) % 30:02d}\t{user * 600 + place}" for place in range(8)]
    (tmp_path / "events.tsv").write_text("\n".join(lines) + "\n")
    flags = ["--events", str(tmp_path / "events.tsv"), "--seeds", "1", "--minutes", "0"]
    monkeypatch.setattr(search, "MOST_EPOCHS", 25)
    got = figures_of(temporal_split, flags, tmp_path / "out.json", spark, monkeypatch)
    assert got["baselines"]["last_item_covisitation"]["test"]["recall@1"] > 0.9
    assert got["baselines"]["popularity"]["test"]["recall@1"] < 0.5
    assert set(got["test"]["per_seed"]) == {"1"}
