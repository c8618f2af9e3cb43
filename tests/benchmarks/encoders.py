"""The encoder of the model that serves, as it is and with int8 weights: histories a second, and the metrics.

Reads a lake after `make run` and ranks the targets of its test split, one thread, in turns. The int8 one is
onnxruntime's dynamic quantisation of the artifact's file; nothing of it is kept.
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import QuantType, quantize_dynamic
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec import config as configuration
from lstmrec import scoring
from lstmrec.lake import models
from lstmrec.lake.model_tables import SEQUENCES
from lstmrec.lake.store import Lake
from lstmrec.learn import artifact
from lstmrec.learn.artifact import Artifact
from lstmrec.prepare.splits import TEST
from lstmrec.rank.top_n import block, target_ranks
from tests.benchmarks.quality import figures_of
from tests.local_spark import local_session

REPEATS = 5


def in_int8(model: Artifact, folder: Path) -> Artifact:
    source, target = Path(model.uri, artifact.ENCODER), folder / artifact.ENCODER
    quantize_dynamic(source, target, weight_type=QuantType.QInt8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(target), options, providers=["CPUExecutionProvider"])
    return replace(model, encoder=session)


def encoded(model: Artifact, rows: Any) -> Any:
    history = scoring.known_history(rows, model.manifest.n_items)
    return model.encode(history.items, history.types, history.gaps, history.length)


def ranks(model: Artifact, vectors: Any, rows: Any) -> Any:
    scores = vectors @ model.item_matrix.T + model.item_bias
    seen = rows[c.SEEN].to_numpy()
    block(scores, (np.repeat(np.arange(len(seen)), [len(own) for own in seen]), np.concatenate(seen)))
    return target_ranks(scores, rows[c.TARGET].to_numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conf", type=Path, required=True, metavar="FILE")
    parser.add_argument("--run-date", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--out", type=Path, metavar="JSON")
    flags = parser.parse_args()

    config = configuration.load(flags.conf)
    lake = Lake(local_session("bench", config.spark), config.lake.root, {})
    model = artifact.load(models.current(lake, flags.run_date).artifact)
    rows = lake.read(SEQUENCES).where(F.col(c.SPLIT) == TEST).orderBy(c.SEQUENCE_ID).toPandas()
    figures: dict[str, Any] = {"histories": len(rows), "width": model.manifest.width}
    with tempfile.TemporaryDirectory() as folder:
        encoders = {"float32": model, "int8": in_int8(model, Path(folder))}
        took: dict[str, list[float]] = {name: [] for name in encoders}
        for _ in range(REPEATS):
            for name, one in encoders.items():
                started = time.perf_counter()
                vectors = encoded(one, rows)
                took[name].append(time.perf_counter() - started)
                figures[name] = figures_of(ranks(one, vectors, rows))
    for name, seconds in took.items():
        figures[name]["histories_per_s"] = len(rows) / statistics.median(seconds)
        shown = "  ".join(f"{what} {figures[name][what]:.4f}" for what in ("recall@10", "ndcg@10", "mrr"))
        print(f"{name:>8} {figures[name]['histories_per_s']:>9,.0f} histories/s  {shown}")
    ratios = [plain / small for plain, small in zip(took["float32"], took["int8"], strict=True)]
    figures["ratio_int8_to_float32"] = statistics.median(ratios)
    print(f"int8 / float32: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")
    if flags.out:
        flags.out.parent.mkdir(parents=True, exist_ok=True)
        flags.out.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
