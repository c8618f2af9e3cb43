"""The bridge between Spark and the model: on an executor, rank all items for blocks of users."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import DataFrame

from lstmrec import columns as c
from lstmrec.columns import PAD
from lstmrec.lake import models
from lstmrec.lake.models import ModelRun
from lstmrec.learn import artifact
from lstmrec.rank.scorers import HistoryBlock, Ints, Scorer, Scores
from lstmrec.rank.top_n import BLOCKED, block, target_ranks, top_n

INPUT: Final = (c.ITEMS, c.TYPES, c.GAPS, c.LENGTH, c.SEEN)
"""What of a history the ranking reads."""

_LAST: Final = np.finfo(np.float32).min
_SCORES_PER_BLOCK: Final = 2**21  # 8 MB of float32: they stay in the cache while they are ranked
_ROWS_PER_PRODUCT: Final = 64  # fewer make the matrix product slow, so with a large catalogue the block grows
_MOST_SCORES: Final = 2**25  # to 128 MB


@dataclass
class ModelScorer:
    """A trained model at `uri`; it travels to executors as that name, and is loaded once in each task."""

    uri: str

    @classmethod
    def of(cls, run: ModelRun, index: DataFrame) -> "ModelScorer":
        """The model of a training run, checked against the item index it is to be used with."""
        artifact.load(run.artifact).require_index(models.index_fingerprint(index, run.n_items))
        return cls(run.artifact)

    @cached_property
    def model(self) -> artifact.Artifact:
        return artifact.load(self.uri)

    def __getstate__(self) -> dict[str, str]:
        return {"uri": self.uri}

    def scores(self, block: HistoryBlock) -> Scores:
        vectors = self.model.encode(block.items, block.types, block.gaps, block.length)
        scores: Scores = np.hstack([vectors, np.ones((len(vectors), 1), np.float32)]) @ self._with_bias.T
        return scores

    @cached_property
    def _with_bias(self) -> Scores:
        """The item matrix with the bias as a further column: no second pass over a block of scores."""
        return np.hstack([self.model.item_matrix, self.model.item_bias[:, None]])


@dataclass(frozen=True)
class OlderModel:
    """A model as a scorer of more items than it knows: those are no input to it, and come last."""

    model: ModelScorer
    n_known: int
    n_items: int

    def scores(self, block: HistoryBlock) -> Scores:
        known = _known(block, self.n_known)
        able = known.length > 0
        scores = np.full((len(able), self.n_items + 1), _LAST, np.float32)
        if able.any():
            scores[able, : self.n_known + 1] = self.model.scores(known.take(able))
        return scores


def judge(
    histories: DataFrame,
    keep: Sequence[str],
    scorers: Sequence[Scorer],
    n_items: int,
    n: int,
    users_per_block: int,
) -> DataFrame:
    """The columns `keep`, ranks, lists: what each of `scorers`, in their order, makes of a history.

    `histories` are rows of `sequences` with a target, which is not among the seen. `ranks`: the place of
    the target among all items that the history has not seen; ties count against it. A target that is not
    known (index above `n_items`), or a history without any known item, takes the place after the last.
    `lists`: the indices of the `n` best unseen items, then PAD; of a history without any known item all PAD.
    """
    kept = histories.select(*keep)

    def judged(chunks: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for rows in blocks(chunks, users_per_block, n_items):
            history = known_history(rows, n_items)
            both = [_ranks_and_lists(scorer, history, rows, n_items, n) for scorer in scorers]
            block_of = rows[list(keep)].copy()
            block_of[c.RANKS] = list(np.stack([ranks for ranks, _ in both], axis=1))
            block_of[c.LISTS] = [list(own) for own in np.stack([lists for _, lists in both], axis=1)]
            yield block_of

    # dict.fromkeys: what is kept may be input, too
    wanted = histories.select(*dict.fromkeys((*keep, *INPUT, c.TARGET)))
    schema = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in kept.schema)
    return wanted.mapInPandas(judged, f"{schema}, {c.RANKS} array<int>, {c.LISTS} array<array<int>>")


def _ranks_and_lists(
    scorer: Scorer, history: HistoryBlock, rows: pd.DataFrame, n_items: int, n: int
) -> tuple[Ints, Ints]:
    able = history.length > 0
    ranks = np.full(len(rows), n_items + 1, np.int32)
    lists = np.full((len(rows), n), PAD, np.int32)
    if not able.any():
        return ranks, lists
    scores = unseen_scores(scorer, history, rows, able, n_items)
    best = top_n(scores, n)
    offered = np.take_along_axis(scores, best, axis=1) > BLOCKED
    lists[able, : best.shape[1]] = np.where(offered, best, PAD)

    targets = rows[c.TARGET].to_numpy(np.int64)
    known = able & (targets <= n_items)
    ranks[known] = target_ranks(scores[known[able]], targets[known])
    return ranks, lists


def blocks(chunks: Iterable[pd.DataFrame], users_per_block: int, n_items: int) -> Iterator[pd.DataFrame]:
    """The rows in blocks whose scores fit the memory of a task."""
    size = min(users_per_block, rows_per_block(n_items))
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk.iloc[start : start + size].reset_index(drop=True)


def rows_per_block(n_items: int) -> int:
    """Users to be ranked together: what was fastest at 12,101 and at 100,000 items of width 64."""
    rows = _SCORES_PER_BLOCK // (n_items + 1)
    return max(1, rows, min(_ROWS_PER_PRODUCT, _MOST_SCORES // (n_items + 1)))


def unseen_scores(
    scorer: Scorer, history: HistoryBlock, rows: pd.DataFrame, able: npt.NDArray[np.bool_], n_items: int
) -> Scores:
    """Scores of the histories that are `able`, with PAD and the items that each has seen blocked."""
    scores = scorer.scores(history.take(able))
    block(scores, (np.arange(len(scores)), np.full(len(scores), PAD)))
    seen = rows[c.SEEN].to_numpy()[able]
    columns = np.concatenate(seen).astype(np.int64)
    cells = np.repeat(np.arange(len(seen)), [len(items) for items in seen])
    known = columns <= n_items
    block(scores, (cells[known], columns[known]))
    return scores


def known_history(rows: pd.DataFrame, n_items: int) -> HistoryBlock:
    """The rows' histories with the items above `n_items` left out, still in order and padded on the right."""
    items, types, gaps = (_stack(rows[name]) for name in (c.ITEMS, c.TYPES, c.GAPS))
    return _known(HistoryBlock(items, types, gaps, rows[c.LENGTH].to_numpy(np.int32)), n_items)


def _known(history: HistoryBlock, n_items: int) -> HistoryBlock:
    known = (history.items != PAD) & (history.items <= n_items)
    length = known.sum(axis=1, dtype=np.int32)
    if (length == history.length).all():
        return history
    known_first = np.argsort(~known, axis=1, kind="stable")
    items, types, gaps = (
        np.take_along_axis(array * known, known_first, axis=1)
        for array in (history.items, history.types, history.gaps)
    )
    return HistoryBlock(items, types, gaps, length)


def _stack(arrays: "pd.Series[Any]") -> Ints:
    """Arrays of any lengths as the rows of one, padded on the right."""
    lengths = np.array([len(array) for array in arrays])
    stacked = np.full((len(arrays), max(1, lengths.max())), PAD, np.int32)
    stacked[np.arange(stacked.shape[1]) < lengths[:, None]] = np.concatenate(arrays.to_numpy())
    return stacked
