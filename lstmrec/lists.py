"""Lists of N items for every user, in blocks on the executors: the model first, then what is popular.

For each block: candidates in order of preference (the model's best, re-ranked, with promoted and drawn
ones put among them, then what is popular in the segment and with all), of which each user takes the first
N that fit the rules.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import DataFrame

from lstmrec import columns as c
from lstmrec.rank import diversity, exploration, reasons, slate
from lstmrec.rank.candidates import (
    EXPLORE,
    MODEL,
    POPULAR,
    PROMOTED,
    REASON_CODES,
    SEGMENT,
    SOURCES,
    Candidates,
    nothing,
    put_in,
)
from lstmrec.rank.scorers import HistoryBlock
from lstmrec.rank.slate import NONE
from lstmrec.rank.top_n import BLOCKED, Indices, top_n
from lstmrec.scoring import INPUT, ModelScorer, blocks, known_history, unseen_scores
from lstmrec.sections import ScoringConfig
from lstmrec.shelf import EVERYBODY, Shelf

_HISTORY_OF_REASONS: Final = 50  # latest items that can be the reason of an item
Texts = npt.NDArray[np.object_]

_CELLS: Final = 2**22  # candidates of users held at a time, where many come in question


@dataclass(frozen=True)
class ListMaker:
    """Makes the lists of one run date; it travels to the executors whole."""

    scorer: ModelScorer
    n_items: int
    shelf: Shelf
    config: ScoringConfig
    seed: str
    """Of what is drawn by chance: the run date."""

    def lists(self, users: DataFrame) -> DataFrame:
        """user_id, rank, item_id, score, source, reason_code, reason_item_ids, propensity: `n` items a user.

        `users` has one row per user: items, types, gaps (padded on the right), length, seen (what is not
        to be offered) and segment, which may be null. Items that the model does not know are no input to
        it. A user gets fewer than `n` items only where no more are allowed.
        """
        schema = (
            f"{c.USER_ID} string, {c.RANK} int, {c.ITEM_ID} string, {c.SCORE} double, {c.SOURCE} string, "
            f"{c.REASON_CODE} string, {c.REASON_ITEM_IDS} array<string>, {c.PROPENSITY} double"
        )
        # in one order, since the last bits of a score depend on the rows beside it in the block
        ordered = users.select(c.USER_ID, *INPUT, c.SEGMENT).repartition(c.USER_ID)
        return ordered.sortWithinPartitions(c.USER_ID).mapInPandas(self._of_chunks, schema)

    def _of_chunks(self, chunks: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for rows in blocks(chunks, self.config.users_per_block, self.n_items):
            history = known_history(rows, self.n_items)
            segments = rows[c.SEGMENT].fillna(EVERYBODY).to_numpy()
            given = self._taken(self._of_model(rows, history, segments))
            self._fill_up(given, rows, segments)
            yield self._as_rows(rows, given, history)

    def _fill_up(self, given: Candidates, rows: pd.DataFrame, segments: Texts) -> None:
        """Put what is popular into the places that are left, further down only where much does not fit."""
        depth = 1
        while (lacking := np.flatnonzero((given.items == NONE).any(axis=1))).size:
            for part in self._parts(rows, lacking, depth):
                room = self._room(rows.iloc[part], depth)
                more = given.of(part).then(self._of_popularity(rows.iloc[part], segments[part], room))
                given.put(part, self._taken(more))
            if self._room(rows.iloc[lacking], depth) == self._longest:
                return
            depth *= 8

    def _of_model(self, rows: pd.DataFrame, history: HistoryBlock, segments: Texts) -> Candidates:
        """The model's candidates; a user without a known event has none."""
        rules, n = self.config.rules, self.config.n
        able = history.length > 0
        wide = rules.max_per_category or rules.diversity or rules.explore_places or rules.promoted_share
        width = min(self.config.candidates if wide else n, self.n_items + 1)
        made = nothing(len(rows), width)
        if not able.any():
            return made
        scores = unseen_scores(self.scorer, history, rows, able, self.n_items)
        for segment in np.unique(segments[able]):
            may = self.shelf.allowed_to(segment)[: self.n_items + 1]
            scores[np.ix_(np.flatnonzero(segments[able] == segment), np.flatnonzero(~may))] = BLOCKED
        best = top_n(scores, width)
        best_scores = np.take_along_axis(scores, best, axis=1)
        if rules.diversity:
            order = diversity.mmr(best_scores, self.shelf.categories[best], rules.diversity, n)
            best = np.take_along_axis(best, order, axis=1)
            best_scores = np.take_along_axis(best_scores, order, axis=1)
        there = best_scores > BLOCKED
        made.items[able] = np.where(there, best, NONE)
        made.scores[able] = np.where(there, best_scores, 0.0)
        made = self._with_promoted(made, scores, able)
        return self._with_drawn(made, rows)

    def _with_promoted(
        self, made: Candidates, scores: npt.NDArray[np.float32], able: npt.NDArray[np.bool_]
    ) -> Candidates:
        """The best promoted items put in at even distances, so that the share is never passed."""
        n_places = int(self.config.n * self.config.rules.promoted_share)
        promoted = np.flatnonzero(self.shelf.promoted[: self.n_items + 1])
        if not n_places or not promoted.size:
            return made
        own = scores[:, promoted]
        best = top_n(own, n_places)
        own_scores = np.take_along_axis(own, best, axis=1)
        added = nothing(len(made.items), best.shape[1])
        there = own_scores > BLOCKED
        added.items[able] = np.where(there, promoted[best], NONE)
        added.scores[able] = np.where(there, own_scores, 0.0)
        added.sources[:] = PROMOTED
        step = self.config.n / n_places
        # before the place where the step ends: of 10 places and 2 promoted, the fifth and the tenth
        return put_in(made, added, [round(step * (turn + 1)) - 1 for turn in range(best.shape[1])])

    def _with_drawn(self, made: Candidates, rows: pd.DataFrame) -> Candidates:
        """Items drawn from those after the first, put in at the end of the list."""
        k, first = self.config.rules.explore_places, self.config.n - self.config.rules.explore_places
        if not k:
            return made
        is_open = made.items != NONE
        is_open[:, :first] = False
        places, odds = exploration.draw(is_open, _seeds(rows[c.USER_ID], self.seed), k)
        drawn = made.at(np.maximum(places, 0))
        drawn.items[places < 0] = NONE
        drawn.sources[:] = EXPLORE
        drawn.propensity[:] = odds[:, None]
        return put_in(made, drawn, [first] * k)

    def _of_popularity(self, rows: pd.DataFrame, segments: Texts, room: int) -> Candidates:
        """The first `room` popular items without those that each user has seen."""
        seen = rows[c.SEEN].to_numpy()
        parts = [(self.shelf.popular_with(s), np.flatnonzero(segments == s)) for s in np.unique(segments)]
        width = min(room, max(len(popular.items) for popular, _ in parts))
        made = nothing(len(rows), width)
        for popular, at in parts:
            size = min(width, len(popular.items))
            made.items[at, :size] = popular.items[:size]
            made.scores[at, :size] = popular.scores[:size]
            made.sources[at, :size] = np.where(popular.is_of_segment[:size], SEGMENT, POPULAR)
            for row in at:
                made.items[row, np.isin(made.items[row], seen[row])] = NONE
        return made

    def _parts(self, rows: pd.DataFrame, lacking: Indices, depth: int) -> Iterator[Indices]:
        """The lacking users in parts whose candidates fit into memory; those who have seen most come last."""
        seen = rows[c.SEEN].map(len).to_numpy()
        order = lacking[np.argsort(seen[lacking], kind="stable")]
        while order.size:
            size = max(1, _CELLS // self._room(rows.iloc[order[-1:]], depth))
            yield order[-size:]
            order = order[:-size]

    def _room(self, rows: pd.DataFrame, depth: int) -> int:
        """Popular items enough to find `n` for each user at depth 1, if no category is full.

        Each may have been given before, and may stand in the segment's list and in that of all.
        """
        return min(self._longest, 2 * depth * (2 * self.config.n + int(rows[c.SEEN].map(len).max())))

    @cached_property
    def _longest(self) -> int:
        """As many items as any list of popular ones has."""
        return 2 * len(self.shelf.item_ids)

    def _taken(self, candidates: Candidates) -> Candidates:
        """The first `n` that fit, NONE where there are fewer."""
        places = slate.fill(
            candidates.items, self.shelf.categories, self.config.n, self.config.rules.max_per_category
        )
        taken = candidates.at(np.maximum(places, 0))
        taken.items[places < 0] = NONE
        return taken

    def _as_rows(self, rows: pd.DataFrame, given: Candidates, history: HistoryBlock) -> pd.DataFrame:
        there = given.items != NONE
        users, places = np.nonzero(there)
        sources = given.sources[there]
        return pd.DataFrame(
            {
                c.USER_ID: rows[c.USER_ID].to_numpy()[users],
                c.RANK: places + 1,
                c.ITEM_ID: self.shelf.item_ids[given.items[there]],
                c.SCORE: given.scores[there],
                c.SOURCE: np.array(SOURCES, object)[sources],
                c.REASON_CODE: np.array(REASON_CODES, object)[sources],
                # without rows Arrow would take it for a column of numbers
                c.REASON_ITEM_IDS: pd.Series(self._reasons(given, history, there), dtype=object),
                c.PROPENSITY: given.propensity[there],
            }
        )

    def _reasons(
        self, given: Candidates, history: HistoryBlock, there: npt.NDArray[np.bool_]
    ) -> list[list[str]]:
        """For each item that is `there` the ids of those of the user's history that are nearest to it."""
        k, able = self.config.reasons, history.length > 0
        found = np.full((*given.items.shape, k), NONE, np.int64)
        if k and able.any():
            latest = _latest(history, _HISTORY_OF_REASONS)[able]
            found[able] = reasons.nearest(
                np.minimum(given.items[able], self.n_items), latest, self._directions, k
            )
        found[~np.isin(given.sources, (MODEL, PROMOTED, EXPLORE))] = NONE
        return [[item for item in own if item] for own in self.shelf.item_ids[found[there]].tolist()]

    @cached_property
    def _directions(self) -> reasons.Vectors:
        return reasons.directions(self.scorer.model.item_matrix)


def _latest(history: HistoryBlock, most: int) -> Indices:
    """The last `most` items of each history, oldest first, 0 before them where it is shorter."""
    longest = history.items.shape[1]
    places = history.length[:, None] - most + np.arange(most)
    items = np.take_along_axis(history.items, np.clip(places, 0, longest - 1), axis=1)
    return np.where(places >= 0, items, NONE).astype(np.int64)


def _seeds(users: "pd.Series[str]", seed: str) -> npt.NDArray[np.uint64]:
    digests = (hashlib.blake2b(f"{seed} {user}".encode(), digest_size=8).digest() for user in users)
    return np.frombuffer(b"".join(digests), np.uint64)
