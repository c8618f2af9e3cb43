"""Metrics of the contenders, with their comparison, as rows of `metrics` and `comparisons`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from lstmrec import columns as c
from lstmrec import tallies
from lstmrec.errors import BadInput
from lstmrec.prepare import slices
from lstmrec.rank import estimates, list_metrics, paired
from lstmrec.rank.categories import numbered
from lstmrec.rank.estimates import Estimate
from lstmrec.rank.list_metrics import Catalogue
from lstmrec.rank.paired import Comparison
from lstmrec.sections import EvaluationConfig
from lstmrec.tallies import COLUMN, CONTENDER, N_USERS

_MOST_SLICES: Final = 100
_HEADLINE: Final = ("hit_rate", "mrr", "ndcg", "item_coverage")

Row = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """What a metric came to for one contender on one slice."""

    model: str
    slice: str
    estimate: Estimate

    def row(self, labels: Mapping[str, Any]) -> Row:
        return {**labels, "model": self.model, c.SLICE: self.slice, **asdict(self.estimate)}


@dataclass(frozen=True)
class Lead:
    """How far one contender is ahead of another on one slice."""

    model: str
    baseline: str
    slice: str
    comparison: Comparison

    def row(self, labels: Mapping[str, Any]) -> Row:
        own = {"model": self.model, "baseline": self.baseline, c.SLICE: self.slice}
        return {**labels, **own, **asdict(self.comparison)}


@dataclass(frozen=True)
class Measured:
    """All that came of one evaluation; `n_users` also names the slices that hold nobody."""

    n_users: Mapping[str, int]
    figures: Sequence[Figure]
    leads: Sequence[Lead]


def catalogue(
    n_histories: npt.NDArray[np.int64],
    total: int,
    items: DataFrame,
    vectors: npt.NDArray[np.float32],
    tail_share: float,
) -> Catalogue:
    """What is known of each item of a model: `items` has item_index and categories, an array or null."""
    held = items.select(c.ITEM_INDEX, c.CATEGORIES).dropna().toPandas()
    held = held[held[c.ITEM_INDEX] < len(n_histories)]
    by_item, _ = numbered(held[c.ITEM_INDEX].to_numpy(np.int64), held[c.CATEGORIES], len(n_histories))
    return Catalogue(n_histories, total, by_item, vectors, tail_share)


def item_facts(spark: SparkSession, known: Catalogue) -> DataFrame:
    """item_index, n_histories, is_tail: what slices are cut by."""
    facts = pd.DataFrame({"n_histories": known.n_histories, "is_tail": known.is_tail})
    facts.insert(0, c.ITEM_INDEX, np.arange(len(facts), dtype=np.int32))
    return spark.createDataFrame(facts.iloc[1:])


def measure(
    judged: DataFrame, names: Sequence[str], known: Catalogue, rules: EvaluationConfig, partitions: int
) -> Measured:
    """Metrics of each contender, `names` in the order of `judged`, and the leads of the first one.

    A slice without users, and a metric without a list that has a value, is absent.
    """
    counts = tallies.rank_counts(judged, max(rules.ks))
    n_users = _users_by_slice(counts, slices.always_told(rules))
    figures = [
        *_accuracy(counts, names, rules),
        *_of_lists(tallies.list_sums(judged, len(names), known, rules.ks, partitions), names, rules.ks),
        *_of_all_lists(
            tallies.item_counts(judged, rules.ks),
            names,
            len(known.n_histories) - 1,
            n_users[slices.ALL],
            rules.ks,
        ),
    ]
    return Measured(n_users, figures, list(_leads(counts, names, rules)))


def headline(measured: Measured, name: str) -> dict[str, float]:
    """The best-known figures of one contender on all users, for a line of the log."""
    own = (f.estimate for f in measured.figures if (f.model, f.slice) == (name, slices.ALL))
    return {f"{e.metric}_at_{e.k}": round(e.value, 4) for e in own if e.metric in _HEADLINE}


def _users_by_slice(counts: pd.DataFrame, told: Sequence[str]) -> dict[str, int]:
    """How many users each slice has: those `told` of also where there are none, then the others by name."""
    of_first = counts[counts[CONTENDER] == 0]
    found = of_first.groupby(c.SLICE)[N_USERS].sum().to_dict()
    names = [*told, *sorted(set(found) - set(told))]
    if len(names) > _MOST_SLICES:
        raise BadInput(
            f"evaluation.segment makes {len(names)} slices, e.g. {names[-3:]}, at most {_MOST_SLICES}; "
            "name a user attribute with fewer values, or null"
        )
    return {name: int(found.get(name, 0)) for name in names}


def _accuracy(counts: pd.DataFrame, names: Sequence[str], rules: EvaluationConfig) -> Iterator[Figure]:
    by_rank = counts.groupby([c.SLICE, CONTENDER, "own"], as_index=False)[N_USERS].sum()
    for (part, number), rows in by_rank.groupby([c.SLICE, CONTENDER]):
        told = estimates.accuracy(
            rows["own"].to_numpy(np.int64),
            rows[N_USERS].to_numpy(np.int64),
            rules.ks,
            resamples=rules.bootstrap_resamples,
            seed=rules.bootstrap_seed,
        )
        yield from (Figure(names[number], part, estimate) for estimate in told)


def _leads(counts: pd.DataFrame, names: Sequence[str], rules: EvaluationConfig) -> Iterator[Lead]:
    for (part, number), rows in counts[counts[CONTENDER] > 0].groupby([c.SLICE, CONTENDER]):
        told = paired.compare(
            rows["first"].to_numpy(np.int64),
            rows["own"].to_numpy(np.int64),
            rows[N_USERS].to_numpy(np.int64),
            rules.ks,
            resamples=rules.bootstrap_resamples,
            seed=rules.bootstrap_seed,
        )
        yield from (Lead(names[0], names[number], part, comparison) for comparison in told)


def _of_lists(sums: pd.DataFrame, names: Sequence[str], ks: Sequence[int]) -> Iterator[Figure]:
    columns = list_metrics.names(ks)
    for row in sums.to_dict("records"):
        metric, k = columns[row[COLUMN]]
        estimate = estimates.mean(metric, k, row[N_USERS], row["total"], row["squares"])
        yield Figure(names[row[CONTENDER]], row[c.SLICE], estimate)


def _of_all_lists(
    listed: pd.DataFrame, names: Sequence[str], n_items: int, n_users: int, ks: Sequence[int]
) -> Iterator[Figure]:
    """What the lists of all users show together of `n_items` items; without an interval."""
    for number, rows in listed.groupby(CONTENDER):
        for k in ks:
            n_listed = np.zeros(n_items + 1, np.int64)
            n_listed[rows[c.ITEM_INDEX].to_numpy()] = rows[f"at_{k}"].to_numpy()
            for metric, measured in list_metrics.OF_ALL_LISTS.items():
                estimate = Estimate(metric, k, measured(n_listed[1:]), None, None, n_users)
                yield Figure(names[int(str(number))], slices.ALL, estimate)
