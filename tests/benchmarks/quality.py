"""What the benchmarks of quality share: a scratch lake, ranks by the artifact's encoder, figures of ranks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pyspark.sql import DataFrame, SparkSession

from lstmrec import columns as c
from lstmrec import config as configuration
from lstmrec import scoring
from lstmrec.config import Config
from lstmrec.rank import accuracy
from lstmrec.rank.scorers import Scorer
from tests.local_spark import local_session

ROOT = Path(__file__).parents[2]
KS = (1, 5, 10, 20)
LENGTHS = (5, 10, 20, 50, 100, 200)
"""Padded lengths of a user's histories, as in conf/base.yaml."""

RanksOfSeeds = Mapping[int, Mapping[str, int]]
"""seed -> sequence id -> rank of the target; every seed has the same ids in the same order."""


def base_config(folder: Path, grain: str, lengths: Sequence[int], inputs: Mapping[str, bool]) -> Config:
    """conf/base.yaml with a lake and artifacts in `folder`; `inputs` says which a log has beside items."""
    loaded = configuration.load(ROOT / "conf" / "base.yaml")
    shapes = {"grain": grain, "max_length": lengths[-1], "length_buckets": tuple(lengths)}
    return loaded.model_copy(
        update={
            "lake": loaded.lake.model_copy(update={"root": str(folder / "lake")}),
            "model": loaded.model.model_copy(update=dict(inputs)),
            "sequences": loaded.sequences.model_copy(update=shapes),
            "training": loaded.training.model_copy(update={"artifacts": str(folder / "artifacts")}),
        }
    )


def open_spark(config: Config) -> SparkSession:
    spark = local_session("bench", config.spark)
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def ranks_by_id(rows: DataFrame, scorer: Scorer, n_items: int, config: Config) -> dict[str, int]:
    """The rank of each row's target by `scorer`, in the order of sequence ids."""
    per_block = config.scoring.users_per_block
    judged = scoring.judge(rows, (c.SEQUENCE_ID,), [scorer], n_items, 1, per_block).drop(c.LISTS)
    return {r[c.SEQUENCE_ID]: r[c.RANKS][0] for r in judged.orderBy(c.SEQUENCE_ID).collect()}


def gains_of(ranks: Sequence[int]) -> dict[str, accuracy.Values]:
    """Each metric's value of each rank; mrr is without a limit."""
    taken = np.array(ranks, np.int64)
    judged = accuracy.Judged.by_rank(taken, max(KS))
    named = (("recall", accuracy.recall), ("ndcg", accuracy.ndcg), ("mrr", accuracy.mrr))
    gains = {f"{name}@{k}": metric(judged, k) for name, metric in named for k in KS}
    return gains | {"mrr": 1 / taken}


def figures_of(ranks: Sequence[int]) -> dict[str, float]:
    """Means over targets."""
    return {name: float(values.mean()) for name, values in gains_of(ranks).items()}


def summary(ranks: RanksOfSeeds, config: Config, unit: Callable[[str], str]) -> dict[str, Any]:
    """Each seed's figures, their means, and the means' intervals."""
    by_seed = {seed: figures_of(list(of_seed.values())) for seed, of_seed in ranks.items()}
    names = next(iter(by_seed.values())).keys()
    mean = {name: float(np.mean([figures[name] for figures in by_seed.values()])) for name in names}
    return {"per_seed": by_seed, "mean": mean, "interval": interval(ranks, config, unit)}


def interval(ranks: RanksOfSeeds, config: Config, unit: Callable[[str], str]) -> dict[str, list[float]]:
    """95 % bootstrap interval of each figure's mean over seeds, drawing whole units (users, sessions).

    `unit` tells which one a sequence id is of; it comes with all its targets and all seeds.
    """
    by_seed = [gains_of(list(of_seed.values())) for of_seed in ranks.values()]
    _, place = np.unique([unit(name) for name in next(iter(ranks.values()))], return_inverse=True)
    sizes = np.bincount(place)
    sums = {
        name: np.bincount(place, np.mean([gains[name] for gains in by_seed], axis=0)) for name in by_seed[0]
    }
    rng = np.random.default_rng(config.evaluation.bootstrap_seed)
    means: dict[str, list[float]] = {name: [] for name in sums}
    for _ in range(config.evaluation.bootstrap_resamples):
        times = np.bincount(rng.integers(0, sizes.size, sizes.size), minlength=sizes.size)
        for name, of_unit in sums.items():
            means[name].append(float(times @ of_unit / (times @ sizes)))
    return {name: [float(end) for end in np.quantile(drawn, [0.025, 0.975])] for name, drawn in means.items()}


def write_ranks(path: Path, ranks: RanksOfSeeds) -> None:
    """A line a sequence id: the id, and the rank of its target by each seed's model."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(["id", *(f"seed_{seed}" for seed in ranks)])]
    for name in next(iter(ranks.values())):
        lines.append("\t".join([name, *(str(of_seed[name]) for of_seed in ranks.values())]))
    path.write_text("\n".join(lines) + "\n")
