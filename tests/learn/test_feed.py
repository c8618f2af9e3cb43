from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from lstmrec.errors import BadInput, BrokenContract
from lstmrec.learn import feed as feed_module
from lstmrec.learn.feed import Batch, Feed, Highest
from lstmrec.learn.spec import DataFile
from tests.learn.tables import leave_one_out, row, write_split

KNOWN = Highest(item=300, event_type=1)


def histories(n: int, shortest: int = 3, longest: int = 12) -> list[list[int]]:
    """Each with its own first item, so that a row is known by it."""
    rng = np.random.default_rng(2)
    return [[1 + i, *rng.integers(200, 300, rng.integers(shortest, longest))] for i in range(n)]


def train_files(root: Path, n: int = 41, groups: int = 5) -> tuple[DataFile, ...]:
    rows, _ = leave_one_out([[*h, 1, 1] for h in histories(n)], 16)
    return write_split(root, "train", rows, (8, 16), groups)


def epoch(
    files: Sequence[DataFile], rank: int, ranks: int, number: int = 0, seed: int | None = 3
) -> list[Batch]:
    feed = Feed(files, rank, ranks, batch_rows=4, highest=KNOWN, seed=seed)
    batches = list(feed.batches(number))
    assert len(batches) == feed.steps
    return batches


def first_items(batches: Sequence[Batch]) -> list[int]:
    return [int(item) for batch in batches for item in batch.items[batch.length > 0, 0]]


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_every_row_comes_once_over_all_ranks_in_equally_many_steps(tmp_path: Path, ranks: int) -> None:
    files = train_files(tmp_path)  # 9 row groups of uneven sizes, less of them a length than 7 ranks
    epochs = [epoch(files, rank, ranks) for rank in range(ranks)]
    assert len({len(batches) for batches in epochs}) == 1
    assert sorted(first_items([b for batches in epochs for b in batches])) == list(range(1, 42))


def test_at_a_step_all_ranks_hold_the_same_padded_length(tmp_path: Path) -> None:
    files = train_files(tmp_path)
    lengths = [[batch.items.shape[1] for batch in epoch(files, rank, 2)] for rank in range(2)]
    assert lengths[0] == lengths[1]
    assert set(lengths[0]) == {8, 16}


def test_a_batch_holds_what_the_table_holds(tmp_path: Path) -> None:
    files = write_split(tmp_path, "validation", [row(1, [5, 6, 7], target=9)], (4,))
    (batch,) = epoch(files, 0, 1, seed=None)
    assert [column.tolist() for column in batch] == [[[5, 6, 7, 0]], [[1, 1, 1, 0]], [[1, 7, 7, 0]], [3], [9]]
    assert {column.dtype for column in batch} == {np.dtype(np.int32)}


def test_one_seed_gives_one_order_and_the_next_epoch_another(tmp_path: Path) -> None:
    files = train_files(tmp_path)
    first, again, next_epoch = (first_items(epoch(files, 0, 2, number)) for number in (1, 1, 2))
    assert first == again
    assert first != next_epoch
    assert sorted(first) == sorted(next_epoch)
    assert first != first_items(epoch(files, 0, 2, 1, seed=4))


def test_a_pool_smaller_than_the_share_still_gives_every_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "POOL_POSITIONS", 100)
    files = train_files(tmp_path, n=90, groups=8)
    feed = Feed(files, 0, 1, batch_rows=4, highest=KNOWN, seed=3)
    epochs = [first_items(list(feed.batches(number))) for number in (0, 1)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(1, 91))
    assert epochs[0] != epochs[1]


def test_an_epoch_is_the_same_whether_or_not_one_came_before_it(tmp_path: Path) -> None:
    files = train_files(tmp_path)
    feed = Feed(files, 0, 2, batch_rows=4, highest=KNOWN, seed=3)
    list(feed.batches(1))
    assert first_items(list(feed.batches(2))) == first_items(epoch(files, 0, 2, 2))


def test_rows_that_fit_in_a_pool_are_read_once(tmp_path: Path) -> None:
    files = train_files(tmp_path)
    feed = Feed(files, 0, 1, batch_rows=4, highest=KNOWN, seed=3)
    read = first_items(list(feed.batches(0)))
    for file in files:
        Path(unquote(file.uri.removeprefix("file://"))).unlink()
    assert sorted(first_items(list(feed.batches(1)))) == sorted(read)


def test_the_tensors_are_the_batches(tmp_path: Path) -> None:
    files = train_files(tmp_path)
    feed = Feed(files, 1, 2, batch_rows=4, highest=KNOWN, seed=3)
    for tensors, batch in zip(feed.epoch(5), feed.batches(5), strict=True):
        for tensor, column in zip(tensors, batch, strict=True):
            np.testing.assert_array_equal(tensor, column)


def test_fewer_row_groups_than_ranks_is_told_with_the_remedy(tmp_path: Path) -> None:
    files = write_split(tmp_path, "train", [row(i, [1, 2, 3]) for i in range(9)], (4,), groups=3)
    with pytest.raises(BadInput, match=r"3 row groups in 3 files for 4 .* raise sequences.row_groups"):
        Feed(files, 0, 4, batch_rows=2, highest=KNOWN)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    files = train_files(tmp_path)
    Path(unquote(files[0].uri.removeprefix("file://"))).unlink()
    with pytest.raises(BadInput, match=f"{files[0].uri}: is no Parquet file"):
        Feed(files, 0, 1, batch_rows=4, highest=KNOWN)


def test_a_file_rewritten_during_training_stops_it(tmp_path: Path) -> None:
    files = write_split(tmp_path, "train", [row(i, [1, 2, 3]) for i in range(9)], (4,), groups=1)
    feed = Feed(files, 0, 1, batch_rows=2, highest=KNOWN)
    write_split(tmp_path, "train", [row(i, [1, 2, 3]) for i in range(8)], (4,), groups=1)
    with pytest.raises(BrokenContract, match=r"8 rows came .* not 9"):
        list(feed.epoch(0))


def test_a_path_with_a_space_is_read(tmp_path: Path) -> None:
    files = write_split(tmp_path / "my lake", "train", [row(i, [1, 2, 3]) for i in range(9)], (4,))
    assert "%20" in files[0].uri
    assert sum(len(batch.length) for batch in epoch(files, 0, 1)) == 9


def test_an_item_beyond_the_index_stops_the_training(tmp_path: Path) -> None:
    files = write_split(tmp_path, "train", [row(i, [1, 2, 301]) for i in range(9)], (4,))
    with pytest.raises(BrokenContract, match=r"'item': 301, .*'item': 300"):
        list(Feed(files, 0, 1, batch_rows=2, highest=KNOWN).epoch(0))
