"""Next-item quality by a global temporal split, over the product's own road, with four baselines.

What comes before an instant is learnt from, and each event after it foretold (event_times.py). All items that
anybody had before the test are ranked, those the user had removed. Settings and epochs, the baselines' too,
are chosen by NDCG@10 on validation's stretch of time, with the first seed; then a model a seed is trained on
all that comes before the test. Ties count against the model, and not against a baseline.

    python -m tests.benchmarks.temporal_split --events TSV --out JSON
"""

import argparse
import json
import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from lstmrec.lake.store import Lake
from tests.benchmarks import click_sessions, event_times, experiment, quality, search
from tests.benchmarks.event_times import Split
from tests.benchmarks.session_neighbours import Baseline, ItemNeighbours, rank
from tests.benchmarks.time_baselines import CoVisitation, Popularity

log = logging.getLogger(__name__)

DAYS: Final = (1, 3, 7, 14, 30)
DAMPINGS: Final = (0.0, 20.0, 100.0)
WINDOWS: Final = (1, 3, 5, 10)
ONE_DAY: Final = 86_400.0
NEVER: Final = float("inf")


def main() -> None:
    flags = parse()
    experiment.log_to_stderr()
    parts = event_times.split(click_sessions.read(flags.events))
    baselines = baseline_figures(parts)
    for name, of_baseline in baselines.items():
        log.info("%s: %s", name, {k: round(of_baseline["test"][k], 4) for k in ("recall@10", "ndcg@10")})
    data = {
        "events": flags.events.name,
        "users": len(parts.users),
        "validation_begins": parts.validation,
        "test_begins": parts.test,
        "dropped_unknown_items": parts.n_dropped,
    }
    plan = experiment.Plan(search.START, search.STAGES, unit=lambda name: name.rpartition("/")[0])
    with tempfile.TemporaryDirectory(prefix="lstmrec-bench-", dir=flags.folder) as folder:
        config = quality.base_config(
            Path(folder), "user", quality.LENGTHS, {"use_event_types": False, "use_gaps": True}
        )
        spark = quality.open_spark(config)
        lake = Lake(spark, config.lake.root, {"job": "benchmark"})
        event_times.write(lake, parts, config)
        figures = data | experiment.run(lake, config, flags, plan) | {"baselines": baselines}
        spark.stop()
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    flags.out.write_text(json.dumps(figures, indent=2) + "\n")
    means = {"lstm": figures["test"]["mean"]} | {name: b["test"] for name, b in baselines.items()}
    print(json.dumps({name: {k: mean[k] for k in ("recall@10", "ndcg@10")} for name, mean in means.items()}))


def parse() -> argparse.Namespace:
    parser = experiment.parser(__doc__, minutes=35)
    parser.add_argument(
        "--events", type=Path, required=True, metavar="TSV", help="SessionId (the user), ItemId, Time"
    )
    return parser.parse_args()


def baseline_figures(parts: Split) -> dict[str, Any]:
    """Each baseline's best settings on validation's stretch, and its figures on the test's."""
    index = {
        item: place
        for place, item in enumerate(sorted({i for user in parts.before(parts.test) for i in user.items}))
    }
    asked = {
        start: [([index[item] for item in history], index[target]) for history, target in found]
        for start, found in (
            (parts.validation, parts.asked(parts.validation, parts.test)),
            (parts.test, parts.asked(parts.test, NEVER)),
        )
    }

    def histories(end: float) -> list[list[int]]:
        return [[index[item] for item in user.items] for user in parts.before(end)]

    def popularity(end: float, days: float) -> Baseline:
        late = [
            index[item]
            for user in parts.before(end)
            for item, second in zip(user.items, user.seconds, strict=True)
            if second >= end - days * ONE_DAY
        ]
        return Popularity(late, len(index))

    def item_knn(end: float, damping: float) -> Baseline:
        return ItemNeighbours(histories(end), len(index), damping)

    def covisitation(end: float, window: float) -> Baseline:
        return CoVisitation(histories(end), len(index), int(window))

    tried: dict[str, tuple[Callable[[float, float], Baseline], Sequence[float]]] = {
        "popularity": (popularity, (NEVER,)),
        "recent_popularity": (popularity, DAYS),
        "item_knn": (item_knn, DAMPINGS),
        "last_item_covisitation": (covisitation, WINDOWS),
    }
    figures = {}
    for name, (make, candidates) in tried.items():
        by_validation = [
            (_figures(make(parts.validation, value), asked[parts.validation]), value) for value in candidates
        ]
        validation, value = max(by_validation, key=lambda pair: pair[0]["ndcg@10"])
        test = _figures(make(parts.test, value), asked[parts.test])
        figures[name] = {"chosen": str(value), "validation": validation, "test": test}
    return figures


def _figures(baseline: Baseline, asked: Sequence[tuple[Sequence[int], int]]) -> dict[str, float]:
    ranks = []
    for history, target in asked:
        scores = baseline.scores(history)
        scores[list(history)] = 0.0  # what the user had is not offered
        ranks.append(rank(scores, target))
    return quality.figures_of(ranks)


if __name__ == "__main__":
    main()
