"""The bridge between Spark and the model: on an executor, rank all items for blocks of users."""

from collections.abc import Iterable, Iterator
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
from lstmrec.rank.top_n import block, target_ranks

INPUT: Final = (c.ITEMS, c.TYPES, c.GAPS, c.LENGTH, c.SEEN)
"""What of a history the ranking reads."""

_SCORES_PER_BLOCK: Final = 2**22  # 16 MB of float32, however large the catalogue: larger ones were slower


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


def rank_targets(histories: DataFrame, scorer: Scorer, n_items: int, users_per_block: int) -> DataFrame:
    """sequence_id, rank: the place of each history's target among all items that it has not seen.

    `histories` are rows of `sequences` with a target, which is not among the seen. Ties count
    against the target. A target that the scorer does not know (index above `n_items`), or a history
    without any known item, takes the place after the last.
    """

    def rank(chunks: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for rows in blocks(chunks, users_per_block, n_items):
            targets = rows[c.TARGET].to_numpy(np.int64)
            history = known_history(rows, n_items)
            able = (history.length > 0) & (targets <= n_items)
            ranks = np.full(len(rows), n_items + 1, np.int64)
            if able.any():
                scores = unseen_scores(scorer, history, rows, able, n_items)
                ranks[able] = target_ranks(scores, targets[able])
            yield pd.DataFrame({c.SEQUENCE_ID: rows[c.SEQUENCE_ID], c.RANK: ranks})

    wanted = histories.select(c.SEQUENCE_ID, *INPUT, c.TARGET)
    return wanted.mapInPandas(rank, f"{c.SEQUENCE_ID} string, {c.RANK} long")


def blocks(chunks: Iterable[pd.DataFrame], users_per_block: int, n_items: int) -> Iterator[pd.DataFrame]:
    """The rows in blocks whose scores fit the memory of a task."""
    size = max(1, min(users_per_block, _SCORES_PER_BLOCK // (n_items + 1)))
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk.iloc[start : start + size].reset_index(drop=True)


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
    known = (items != PAD) & (items <= n_items)
    length = known.sum(axis=1, dtype=np.int32)
    if (length == rows[c.LENGTH].to_numpy()).all():
        return HistoryBlock(items, types, gaps, length)
    known_first = np.argsort(~known, axis=1, kind="stable")
    items, types, gaps = (
        np.take_along_axis(array * known, known_first, axis=1) for array in (items, types, gaps)
    )
    return HistoryBlock(items, types, gaps, length)


def _stack(arrays: "pd.Series[Any]") -> Ints:
    """Arrays of any lengths as the rows of one, padded on the right."""
    lengths = np.array([len(array) for array in arrays])
    stacked = np.full((len(arrays), max(1, lengths.max())), PAD, np.int32)
    stacked[np.arange(stacked.shape[1]) < lengths[:, None]] = np.concatenate(arrays.to_numpy())
    return stacked
