"""The bridge between Spark and the model: on an executor, rank all items for blocks of users."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.columns import PAD
from lstmrec.lake import models
from lstmrec.lake.models import ModelRun
from lstmrec.learn import artifact
from lstmrec.rank.scorers import HistoryBlock, Ints, Scorer, Scores
from lstmrec.rank.top_n import BLOCKED, block, target_ranks, top_n

MODEL: Final = "model"
POPULAR: Final = "popular"

_INPUT: Final = (c.ITEMS, c.TYPES, c.GAPS, c.LENGTH, c.SEEN)
_SCORES_PER_BLOCK: Final = 2**23  # 32 MB of float32, however large the catalogue


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
        scores: Scores = vectors @ self.model.item_matrix.T + self.model.item_bias
        return scores


@dataclass(frozen=True)
class PopularList:
    """(item index, item id, score), the most popular first: what is left where the model has nothing."""

    items: tuple[tuple[int, str, float], ...]

    @classmethod
    def of(cls, popularity: DataFrame, index: DataFrame) -> "PopularList":
        """From item_id and n_users, decoded by `item_index`; equal counts go to the lower index."""
        ranked = popularity.join(index, on=c.ITEM_ID, how="inner").orderBy(F.desc("n_users"), c.ITEM_INDEX)
        return cls(tuple((r[c.ITEM_INDEX], r[c.ITEM_ID], float(r["n_users"])) for r in ranked.collect()))


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
        for rows in _blocks(chunks, users_per_block, n_items):
            history = _known_history(rows, n_items)
            both = [_ranks_and_lists(scorer, history, rows, n_items, n) for scorer in scorers]
            block_of = rows[list(keep)].copy()
            block_of[c.RANKS] = list(np.stack([ranks for ranks, _ in both], axis=1))
            block_of[c.LISTS] = [list(own) for own in np.stack([lists for _, lists in both], axis=1)]
            yield block_of

    # dict.fromkeys: what is kept may be input, too
    wanted = histories.select(*dict.fromkeys((*keep, *_INPUT, c.TARGET)))
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
    scores = _unseen_scores(scorer, history, rows, able, n_items)
    best = top_n(scores, n)
    offered = np.take_along_axis(scores, best, axis=1) > BLOCKED
    lists[able, : best.shape[1]] = np.where(offered, best, PAD)

    targets = rows[c.TARGET].to_numpy(np.int64)
    known = able & (targets <= n_items)
    ranks[known] = target_ranks(scores[known[able]], targets[known])
    return ranks, lists


def recommend(
    histories: DataFrame, model: ModelScorer, n_items: int, popular: PopularList, n: int, users_per_block: int
) -> DataFrame:
    """user_id, rank, item_id, score, source: `n` items a user that the user has not seen, best first.

    `histories` has one row per user: items, types, gaps (padded on the right), length, and seen.
    Items that the model does not know are no input to it. Where it has nothing to go by, or fewer
    than `n` items to offer, the popular list goes on.
    """

    def lists(chunks: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for rows in _blocks(chunks, users_per_block, n_items):
            by_model = _model_lists(rows, model, n_items, n)
            yield by_model
            yield _popular_rest(rows, by_model, popular, n)

    schema = f"{c.USER_ID} string, {c.RANK} int, {c.ITEM_ID} string, {c.SCORE} double, {c.SOURCE} string"
    return histories.select(c.USER_ID, *_INPUT).mapInPandas(lists, schema)


def _model_lists(rows: pd.DataFrame, model: ModelScorer, n_items: int, n: int) -> pd.DataFrame:
    history = _known_history(rows, n_items)
    able = history.length > 0
    if not able.any():
        return _lists([], [], [], [], MODEL)
    scores = _unseen_scores(model, history, rows, able, n_items)
    best = top_n(scores, n)
    best_scores = np.take_along_axis(scores, best, axis=1)
    offered = best_scores > BLOCKED
    users = np.repeat(rows[c.USER_ID].to_numpy()[able], best.shape[1]).reshape(best.shape)
    ranks = np.broadcast_to(np.arange(1, best.shape[1] + 1), best.shape)
    return _lists(
        users[offered], ranks[offered], model.model.item_ids[best[offered]], best_scores[offered], MODEL
    )


def _popular_rest(rows: pd.DataFrame, by_model: pd.DataFrame, popular: PopularList, n: int) -> pd.DataFrame:
    """What the model's lists lack, from the popular items that a user has neither seen nor been given."""
    given = by_model.groupby(c.USER_ID)[c.ITEM_ID].agg(list)
    users, ranks, items, scores = [], [], [], []
    for user, seen in zip(rows[c.USER_ID], rows[c.SEEN], strict=True):
        own = given.get(user, [])
        if len(own) == n:
            continue
        had = set(seen)
        rest = ((item, score) for index, item, score in popular.items if index not in had and item not in own)
        for rank, (item, score) in enumerate(islice(rest, n - len(own)), start=len(own) + 1):
            users.append(user)
            ranks.append(rank)
            items.append(item)
            scores.append(score)
    return _lists(users, ranks, items, scores, POPULAR)


def _lists(users: Any, ranks: Any, items: Any, scores: Any, source: str) -> pd.DataFrame:
    return pd.DataFrame(
        {c.USER_ID: users, c.RANK: ranks, c.ITEM_ID: items, c.SCORE: scores, c.SOURCE: source}
    )


def _blocks(chunks: Iterable[pd.DataFrame], users_per_block: int, n_items: int) -> Iterator[pd.DataFrame]:
    """The rows in blocks whose scores fit the memory of a task."""
    size = max(1, min(users_per_block, _SCORES_PER_BLOCK // (n_items + 1)))
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk.iloc[start : start + size].reset_index(drop=True)


def _unseen_scores(
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


def _known_history(rows: pd.DataFrame, n_items: int) -> HistoryBlock:
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
