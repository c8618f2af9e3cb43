"""One benchmark of quality: settings chosen by validation, a final model a seed, figures of their ranks."""

import argparse
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec import training
from lstmrec.config import Config
from lstmrec.lake.model_tables import ITEM_INDEX, SEQUENCES
from lstmrec.lake.store import Lake
from lstmrec.learn import distributed
from lstmrec.learn.spec import Limits, TrainingResult, TrainingSpec
from lstmrec.prepare import splits
from lstmrec.scoring import ModelScorer
from tests.benchmarks import quality, search
from tests.benchmarks.search import Settings

RUN_DATE: Final = date(2026, 1, 31)  # for the models' records alone

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """Where the search starts, what it varies, and which unit (user, session) a sequence id is of."""

    start: Settings
    stages: Sequence[Sequence[Settings]]
    unit: Callable[[str], str]


def parser(description: str | None, minutes: float) -> argparse.ArgumentParser:
    """The flags of every benchmark of quality; `minutes` is the default bound of all trainings."""
    flags = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    flags.add_argument(
        "--out", type=Path, required=True, metavar="JSON", help="ranks go beside it, as .ranks.tsv"
    )
    flags.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the final models (%(default)s)"
    )
    flags.add_argument(
        "--minutes",
        type=float,
        default=minutes,
        help="for the search and the final trainings together (%(default)s)",
    )
    flags.add_argument("--folder", type=Path, help="where the scratch lake lies while it runs")
    return flags


def log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)


def run(lake: Lake, config: Config, flags: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """The figures of the `sequences` in `lake`; ranks go to their file.

    Settings and the number of epochs are the first seed's best trial on the train split; each seed's
    final model is trained on train and validation.
    """
    began = time.perf_counter()
    sequences = lake.read(SEQUENCES)
    ordered = orders(lake, config)

    def train(
        settings: Settings, seed: int, learn_from: str, epochs: int | None, limits: Limits
    ) -> TrainingResult:
        log.info("%s, seed %d: %s", learn_from, seed, settings)
        spec = ordered(settings, {"seed": seed, "learn_from": learn_from})
        return distributed.launch(spec.model_copy(update={"epochs": epochs, "limits": limits}))

    first = flags.seeds[0]
    trials = search.search(
        lambda settings, limits: train(settings, first, splits.TRAIN, None, limits),
        flags.minutes * 60,
        len(flags.seeds),
        plan.start,
        plan.stages,
    )
    searched = time.perf_counter() - began
    best = trials[0]
    final = {
        seed: train(best.settings, seed, splits.TRAIN_AND_VALIDATION, best.epochs, Limits())
        for seed in flags.seeds
    }

    n_items = lake.read(ITEM_INDEX).count()

    def ranks(split: str, uri: str) -> dict[str, int]:
        rows = sequences.where(F.col(c.SPLIT) == split)
        return quality.ranks_by_id(rows, ModelScorer(uri), n_items, config)

    validation = {first: ranks(splits.VALIDATION, best.artifact_uri)}
    test = {seed: ranks(splits.TEST, result.artifact_uri) for seed, result in final.items()}
    quality.write_ranks(flags.out.with_suffix(".ranks.tsv"), test)
    return {
        "items": n_items,
        "chosen": best.settings,
        "epochs": best.epochs,
        "trained_on": splits.TRAIN_AND_VALIDATION,
        "seeds": flags.seeds,
        "validation": quality.summary(validation, config, plan.unit),
        "test": quality.summary(test, config, plan.unit),
        "trials": [asdict(trial) for trial in trials],
        "seconds": {
            "search": searched,
            "final": {seed: result.seconds for seed, result in final.items()},
            "all": time.perf_counter() - began,
        },
    }


def orders(lake: Lake, config: Config) -> Callable[[Settings, Mapping[str, Any]], TrainingSpec]:
    """Makes the order of a training on `lake` from settings of a search and further keys of `training`."""
    rows, targets = size_of(lake.read(SEQUENCES).where(F.col(c.SPLIT) == splits.TRAIN))

    def ordered(settings: Settings, how: Mapping[str, Any]) -> TrainingSpec:
        chosen = search.applied(config, settings, rows, targets)
        chosen = chosen.model_copy(update={"training": chosen.training.model_copy(update=dict(how))})
        return training.order(lake, chosen, RUN_DATE)

    return ordered


def size_of(train: DataFrame) -> tuple[int, int]:
    """Rows and targets of a split that is learnt from."""
    counted = train.agg(F.count(F.lit(1)).alias("rows"), F.sum(F.col(c.LENGTH) - 1).alias("targets")).first()
    if not counted or not counted["rows"]:
        raise SystemExit("no history has two items: there is nothing to learn")
    return int(counted["rows"]), int(counted["targets"])
