"""Next-click quality on files of clicks by session, over the product's own road, with two baselines.

At every position of a test session the next click is predicted; all items are ranked, those clicked
before too. Clicks on items that the train file lacks are dropped and counted. Settings and epochs, the
baselines' too, are chosen by NDCG@10 on the last day of the train file, with the first seed; then
a model a seed is trained on the whole train file. Ties count against the model; for the baselines they
do not, and a target that no neighbour brings is a miss.

    python -m tests.benchmarks.session_next_item --train TSV --test TSV --out JSON
"""

import argparse
import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lstmrec.lake.store import Lake
from tests.benchmarks import click_sessions, experiment, quality, search
from tests.benchmarks.click_sessions import Session
from tests.benchmarks.search import Settings
from tests.benchmarks.session_neighbours import Baseline, ItemNeighbours, SessionNeighbours, indexed, ranks

log = logging.getLogger(__name__)

LENGTHS = (3, 5, 10, 20, 50, 100, 200)

START: Final[Settings] = search.START | {
    "embedding_dropout": 0.6,
    "dropout": 0.5,
    "use_gaps": True,
    "events_a_step": 400,
}
STAGES: Final[Sequence[Sequence[Settings]]] = (
    (
        {"width": 128, "embedding_dropout": 0.3, "dropout": 0.3},
        {"width": 256, "embedding_dropout": 0.7, "dropout": 0.5},
    ),
    ({"later_items": 0.0},),
    ({"use_gaps": False},),
    ({"learning_rate": 0.001},),
)
DAMPINGS: Final = (0.0, 20.0, 100.0, 500.0)
NEIGHBOURS: Final = tuple((k, recent) for k in (100, 500) for recent in (1000, 5000))


def main() -> None:
    flags = parse()
    experiment.log_to_stderr()
    train = click_sessions.read(flags.train)
    test, n_unknown = click_sessions.without_unknown(click_sessions.read(flags.test), train)
    data = {"train": flags.train.name, "test_file": flags.test.name, "dropped_unknown_items": n_unknown}
    baselines = baseline_figures(train, test)
    for name, of_baseline in baselines.items():
        log.info("%s: %s", name, {k: round(of_baseline["test"][k], 4) for k in ("recall@20", "mrr@20")})
    plan = experiment.Plan(START, STAGES, unit=session_of)
    with tempfile.TemporaryDirectory(prefix="lstmrec-bench-", dir=flags.folder) as folder:
        config = quality.base_config(Path(folder), "session", LENGTHS, {"use_event_types": False})
        ranked = config.training.model_copy(update={"seen_items": "ranked"})
        config = config.model_copy(update={"training": ranked})
        spark = quality.open_spark(config)
        lake = Lake(spark, config.lake.root, {"job": "benchmark"})
        click_sessions.write(lake, train, test, config)
        figures = data | experiment.run(lake, config, flags, plan) | {"baselines": baselines}
        spark.stop()
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    flags.out.write_text(json.dumps(figures, indent=2) + "\n")
    means = {"lstm": figures["test"]["mean"]} | {name: b["test"] for name, b in baselines.items()}
    print(json.dumps({name: {k: mean[k] for k in ("recall@20", "mrr@20")} for name, mean in means.items()}))


def parse() -> argparse.Namespace:
    parser = experiment.parser(__doc__, minutes=35)
    parser.add_argument("--train", type=Path, required=True, metavar="TSV", help="SessionId, ItemId, Time")
    parser.add_argument("--test", type=Path, required=True, metavar="TSV", help="the same, later sessions")
    return parser.parse_args()


def session_of(name: str) -> str:
    """The session of a row's id, as in s1/3."""
    return name.rpartition("/")[0]


def baseline_figures(train: Sequence[Session], test: Sequence[Session]) -> dict[str, Any]:
    """Each baseline's best settings on the last day of `train`, and its figures on `test`."""
    index = {item: place for place, item in enumerate(sorted({i for s in train for i in s.items}))}
    end = click_sessions.cutoff(list(train))
    early, late = (
        indexed([s for s in train if (s.seconds[-1] > end) == is_late], index) for is_late in (False, True)
    )
    everything, asked = indexed(train, index), indexed(test, index)

    def item_knn(learnt: Sequence[Sequence[int]], settings: Mapping[str, float]) -> Baseline:
        return ItemNeighbours(learnt, len(index), settings["damping"])

    def v_sknn(learnt: Sequence[Sequence[int]], settings: Mapping[str, float]) -> Baseline:
        return SessionNeighbours(learnt, len(index), int(settings["neighbours"]), int(settings["recent"]))

    tried = {
        "item_knn": (item_knn, [{"damping": damping} for damping in DAMPINGS]),
        "v_sknn": (v_sknn, [{"neighbours": k, "recent": recent} for k, recent in NEIGHBOURS]),
    }
    figures = {}
    for name, (make, candidates) in tried.items():
        by_validation = [
            (quality.figures_of(ranks(make(early, settings), late)), settings) for settings in candidates
        ]
        validation, settings = max(by_validation, key=lambda pair: pair[0]["ndcg@10"])
        test_figures = quality.figures_of(ranks(make(everything, settings), asked))
        figures[name] = {"chosen": settings, "validation": validation, "test": test_figures}
    return figures


if __name__ == "__main__":
    main()
