"""Next-item quality on a file of item sequences, by leave-one-out, over the product's own road.

The last item of a user is the test's target, the one before validation's. All items are ranked, the
user's earlier ones removed; ties count against the model. Settings are chosen by validation NDCG@10
with the first seed (search.py), and so is the number of epochs; then a model a seed is trained on train
and validation for as many epochs. Test figures are of those models, validation's of the chosen trial.
With --baselines those of item_baselines.py stand beside, and the binary classifier's curves as a page.

--minutes is for the search and the final trainings together: a trial gets the minutes left over
1 + seeds, since each final training takes as long again, and the first one those over 2 + seeds, that
others may follow. One epoch of each comes in any case.

With attributes of items (JSON: item id -> list of attribute ids) the search starts with them, and its second
trial does without: validation decides. Items need not have any; unknown items are counted and left out.

    python -m tests.benchmarks.leave_one_out --sequences FILE [--attributes FILE] --out JSON
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstmrec.config import Config
from lstmrec.lake.store import Lake
from tests.benchmarks import (
    classifier,
    experiment,
    item_attributes,
    item_baselines,
    item_sequences,
    quality,
    search,
)

WITHOUT_TIMES = {"use_event_types": False, "use_gaps": False}
ATTRIBUTES = "use_item_attributes"


def main() -> None:
    flags = parse()
    experiment.log_to_stderr()
    given = item_sequences.read(flags.sequences)
    data = {"sequences": flags.sequences.name, "users": len(given.users), "events": given.n_events}
    attributes = item_attributes.read(flags.attributes) if flags.attributes else {}
    with tempfile.TemporaryDirectory(prefix="lstmrec-bench-", dir=flags.folder) as folder:
        config = quality.base_config(Path(folder), "user", quality.LENGTHS, WITHOUT_TIMES)
        spark = quality.open_spark(config)
        lake = Lake(spark, config.lake.root, {"job": "benchmark"})
        item_sequences.write(lake, item_sequences.sessions(spark, given), config)
        told = item_attributes.write(lake, attributes, item_sequences.FIRST.date())
        plan = experiment.Plan(search.START, search.STAGES, user_of)
        if told["items_with"]:
            plan = with_attributes(plan)
        figures = data | {"attributes": told} | experiment.run(lake, config, flags, plan)
        if flags.baselines:
            figures["baselines"] = baseline_figures(lake, config, flags.seeds)
        spark.stop()
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    flags.out.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps({name: figures[name]["mean"] for name in ("validation", "test")}, indent=2))
    if flags.baselines:
        page = classifier.page(figures["baselines"]["binary_classifier"])
        flags.out.with_suffix(".classifier.html").write_text(page)
        for name, own in {"lstm": figures, **figures["baselines"]}.items():
            shown = "  ".join(f"{key} {own['test']['mean'][key]:.4f}" for key in ("recall@10", "ndcg@10"))
            print(f"{name:<24}{shown}")


def with_attributes(plan: experiment.Plan) -> experiment.Plan:
    """The plan with attributes from the start, and without them at its second trial."""
    stages = ([{ATTRIBUTES: False}], *plan.stages)
    return replace(plan, start=plan.start | {ATTRIBUTES: True}, stages=stages)


def baseline_figures(lake: Lake, config: Config, seeds: Sequence[int]) -> dict[str, Any]:
    ground = item_baselines.Ground(lake, config, user_of)
    spec = experiment.orders(lake, config)(search.START, {})
    return item_baselines.figures(ground) | {"binary_classifier": classifier.figures(ground, spec, seeds)}


def user_of(name: str) -> str:
    """The user of a row's id."""
    return name


def parse() -> argparse.Namespace:
    parser = experiment.parser(__doc__, minutes=60)
    parser.add_argument("--sequences", type=Path, required=True, metavar="FILE", help="a line a user")
    parser.add_argument(
        "--attributes", type=Path, metavar="FILE", help="of items: id -> list of attribute ids"
    )
    parser.add_argument(
        "--baselines", action="store_true", help="popularity, co-visitation, item-kNN, a classifier beside"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
