"""Batches of a rank's share of `sequences`, read by Petastorm from a pinned list of Parquet files.

Ranks read whole row groups. A batch holds one padded length, and at every step all ranks take the same
one, so none waits for a longer recurrence. Every row comes exactly once an epoch: where a rank's share of
a padded length runs out before the others', it goes on with batches of one empty row, which weigh nothing.
So every rank takes the same number of steps, known before the first, and no rank waits for ever.
"""

import logging
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import tensorflow as tf
from petastorm import make_batch_reader
from pyarrow.lib import ArrowException

from lstmrec.columns import GAP_BUCKETS, GAPS, ITEMS, LENGTH, PAD, TARGET, TYPES
from lstmrec.errors import BadInput, BrokenContract
from lstmrec.learn.artifact import Ints
from lstmrec.learn.spec import DataFile, by_padded_length
from lstmrec.learn.storage import open_store

# Petastorm reads with Arrow's legacy dataset, which warns at each row group
warnings.filterwarnings("ignore", category=FutureWarning, module="petastorm")
# and says at each opening that the files are not Petastorm's own, which is as it should be
logging.getLogger("petastorm").setLevel(logging.ERROR)

COLUMNS: Final = (ITEMS, TYPES, GAPS, LENGTH, TARGET)
"""`seen` varies in length, which a batch reader cannot hold; split and padded_length are in the paths."""

POOL_POSITIONS: Final = 2**22
"""Rows are shuffled among so many positions at a time, 50 MB a padded length; fewer are read but once."""

BATCHES_AHEAD: Final = 8

SIGNATURE: Final = (
    tf.TensorSpec((None, None), tf.int32, ITEMS),
    tf.TensorSpec((None, None), tf.int32, TYPES),
    tf.TensorSpec((None, None), tf.int32, GAPS),
    tf.TensorSpec((None,), tf.int32, LENGTH),
    tf.TensorSpec((None,), tf.int32, TARGET),
)


class Batch(NamedTuple):
    """Rows of one padded length, right-padded. `target` is 0 in training: there all positions are targets."""

    items: Ints
    types: Ints
    gaps: Ints
    length: Ints
    target: Ints


class Highest(NamedTuple):
    """The highest indices that the model has a row for; a higher one would read another's, or none."""

    item: int
    event_type: int
    gap: int = GAP_BUCKETS - 1


class _Bucket(NamedTuple):
    padded_length: int
    urls: tuple[str, ...]
    shard: int | None
    """None: there are fewer row groups than ranks here, and this rank has none."""
    shards: int
    rows: int
    steps: int


class Feed:
    """One rank's batches, an epoch at a time; equal for equal files, seed and ranks.

    Parameters
    ----------
    batch_rows
        Rows a step on this rank.
    seed
        Of the order of row groups, rows and padded lengths; None keeps the order of the files.

    Raises
    ------
    BadInput
        If a file cannot be read, or there are fewer row groups than ranks.
    """

    def __init__(
        self,
        files: Sequence[DataFile],
        rank: int,
        ranks: int,
        batch_rows: int,
        highest: Highest,
        *,
        seed: int | None = None,
    ) -> None:
        self._rank = rank
        self._batch_rows = batch_rows
        self._highest = highest
        self._seed = seed
        self._kept: dict[int, list[Batch]] = {}
        groups = {length: _row_groups(of) for length, of in by_padded_length(files).items() if of}
        n_groups = sum(len(rows) for _, rows in groups.values())
        if n_groups < ranks:
            raise BadInput(
                f"sequences: {n_groups} row groups in {len(files)} files for {ranks} training processes; "
                f"raise sequences.row_groups and run build_sequences again, or lower training.processes"
            )
        self._buckets = [
            _bucket(length, *groups[length], turn=(rank - turn) % ranks, ranks=ranks, batch_rows=batch_rows)
            for turn, length in enumerate(groups)  # turns: or rank 0 gets the odd row group of every length
        ]

    @property
    def rows(self) -> int:
        """Rows of this rank's share."""
        return sum(bucket.rows for bucket in self._buckets)

    @property
    def steps(self) -> int:
        """Steps an epoch, the same on every rank."""
        return sum(bucket.steps for bucket in self._buckets)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The epoch's batches, read by a thread ahead of their use."""
        batches = self.batches(number)
        ahead = ThreadPoolExecutor(1)  # not tf.data: its Python generators wait for the steps' own threads
        try:
            coming = deque(ahead.submit(next, batches, None) for _ in range(BATCHES_AHEAD))
            while (batch := coming.popleft().result()) is not None:
                coming.append(ahead.submit(next, batches, None))
                yield batch
        finally:
            ahead.shutdown(cancel_futures=True)

    def batches(self, number: int) -> Iterator[Batch]:
        """The epoch's batches: `steps` of them."""
        turns = np.repeat(np.arange(len(self._buckets)), [bucket.steps for bucket in self._buckets])
        if self._seed is not None:
            turns = np.random.default_rng([self._seed, number]).permutation(turns)  # the same on all ranks
        streams = [self._rows_of(index, number) for index in range(len(self._buckets))]
        for turn in turns:
            yield next(streams[turn], None) or _empty(self._buckets[turn].padded_length)

    def _rows_of(self, index: int, number: int) -> Iterator[Batch]:
        """Batches of one padded length; row groups are pooled and shuffled before they are cut."""
        bucket = self._buckets[index]
        order = None if self._seed is None else np.random.default_rng([self._seed, number, index, self._rank])
        pool: list[Batch] = []
        came = 0
        for group in self._groups(index, order):
            pool.append(group)
            came += len(group.length)
            last = came >= bucket.rows
            if last or sum(part.items.size for part in pool) >= POOL_POSITIONS:
                rows = Batch(*(np.concatenate(column) for column in zip(*pool, strict=True)))
                if order is not None:
                    shuffled = order.permutation(len(rows.length))
                    rows = Batch(*(column[shuffled] for column in rows))
                whole = len(rows.length) if last else len(rows.length) // self._batch_rows * self._batch_rows
                for start in range(0, whole, self._batch_rows):
                    yield Batch(*(column[start : start + self._batch_rows] for column in rows))
                pool = [Batch(*(column[whole:] for column in rows))]
        if came != bucket.rows:
            raise BrokenContract(
                f"sequences: {came} rows came from the files of padded length {bucket.padded_length}, "
                f"not {bucket.rows}: they changed during training; never rewrite a table's files in place"
            )

    def _groups(self, index: int, order: np.random.Generator | None) -> Iterator[Batch]:
        """The row groups of one padded length, kept from the first epoch on where they fit in a pool."""
        # a reader of Petastorm's sleeps for a tenth of a second: of a small log, longer than learning takes
        bucket = self._buckets[index]
        if bucket.rows * bucket.padded_length > POOL_POSITIONS:
            yield from self._read(bucket, order)
            return
        if index not in self._kept:
            self._kept[index] = list(self._read(bucket, None))
        yield from self._kept[index]

    def _read(self, bucket: _Bucket, order: np.random.Generator | None) -> Iterator[Batch]:
        if bucket.shard is None:
            return
        reader = make_batch_reader(
            list(bucket.urls),
            schema_fields=[f"^{name}$" for name in COLUMNS],
            reader_pool_type="dummy",  # in the thread that asks: the order is stable
            shuffle_row_groups=order is not None,
            seed=None if order is None else int(order.integers(1, 2**31)),  # Petastorm takes 0 for "no seed"
            cur_shard=bucket.shard,
            shard_count=bucket.shards,
            hdfs_driver="libhdfs",
        )
        try:
            for group in reader:
                rows = Batch(*(np.asarray(getattr(group, name), np.int32) for name in COLUMNS))
                self._require_known(rows)
                yield rows
        finally:
            reader.stop()
            reader.join()

    def _require_known(self, rows: Batch) -> None:
        top = Highest(*(int(column.max(initial=PAD)) for column in rows[:3]))
        if any(found > known for found, known in zip(top, self._highest, strict=True)):
            raise BrokenContract(
                f"sequences: indices go up to {top._asdict()}, those known to {self._highest._asdict()}; "
                f"run build_item_index and build_sequences again"
            )


def _bucket(
    padded_length: int,
    urls: tuple[str, ...],
    groups: Sequence[int],
    *,
    turn: int,
    ranks: int,
    batch_rows: int,
) -> _Bucket:
    """A rank's share of one padded length: every `shards`-th row group, as Petastorm deals them."""
    shards = min(ranks, len(groups))
    rows = [sum(groups[shard::shards]) for shard in range(shards)]
    mine = turn < shards
    steps = max(-(-share // batch_rows) for share in rows)
    return _Bucket(padded_length, urls, turn if mine else None, shards, rows[turn] if mine else 0, steps)


def _row_groups(files: Sequence[DataFile]) -> tuple[tuple[str, ...], list[int]]:
    """The files as Petastorm wants them named, and the rows of each of their row groups, in order."""
    urls, rows = [], []
    for file in files:
        store, path = open_store(file.uri)
        try:
            with store.open_input_file(path) as opened:
                footer = pq.read_metadata(opened)
        except (OSError, ArrowException) as error:
            reason = " ".join(str(error).split())
            raise BadInput(f"{file.uri}: is no Parquet file ({reason}); run build_sequences again") from None
        rows += [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
        urls.append(f"file://{path}" if isinstance(store, pafs.LocalFileSystem) else file.uri)
    return tuple(urls), rows


def _empty(padded_length: int) -> Batch:
    """One row without a position: it has no target, so its loss, gradient and count are 0."""
    padding = np.full((1, padded_length), PAD, np.int32)
    return Batch(padding, padding, padding, np.zeros(1, np.int32), np.zeros(1, np.int32))
