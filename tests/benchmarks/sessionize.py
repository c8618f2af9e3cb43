"""How fast sessions are cut, next to DuckDB, polars, Spark's plain window and a scan.

Contenders take turns, warm, on two cores, on a log of --events and on one of a tenth; all must find the same.
`cut` gives each event the start of its session, `sessions` the rows of the table. Spark's rows go nowhere,
those of the others into their memory. All that runs in Spark shares one JVM, and so its memory.
"""

import argparse
import json
import math
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from tests.benchmarks import event_log, in_spark
from tests.benchmarks.contender import Contender

ROOT = Path(__file__).parents[2]
EVENTS_A_PARTITION = 1_250_000
Spread = tuple[float, float, float]  # least, median, most


def main() -> None:
    flags = parse()
    large, small = (event_log.parquet(flags.folder, n, False) for n in (flags.events, flags.events // 10))
    skewed = event_log.parquet(flags.folder, flags.events, True) if flags.skew else None
    with spark(flags.events) as session, peers() as others:
        contenders = [*in_spark.contenders(session), *others]
        turns = [
            (contender, log)
            for contender in contenders
            for log in (small, large, skewed)
            if log and (log != skewed or contender.engine == "ours")
        ]
        for log in (small, large, *([skewed] if skewed else [])):
            require_agreement(contenders, log)
        for _ in range(flags.repeats):
            for contender, log in turns:
                contender.measure(log)
    named = {(contender.task, contender.engine): contender for contender in contenders}
    print_table(named, flags.events, small, large)
    figures = figures_of(named, flags.events, small, large, skewed)
    if skewed:
        print(f"one user with a quarter of all: {figures['skew_ratio']:.2f} times as long to cut,", end=" ")
        print(f"{figures['sessions']['skew_ratio']:.2f} times to make sessions")
    if flags.out:
        flags.out.write_text(json.dumps(figures, indent=2) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="events of the larger log")
    parser.add_argument("--repeats", type=int, default=3, help="rounds that count, after one to warm up")
    parser.add_argument("--skew", action="store_true", help="also a log where one user has a quarter of all")
    parser.add_argument("--out", type=Path, metavar="JSON", help="file for the figures")
    kept = Path(tempfile.gettempdir()) / "lstmrec-bench"
    parser.add_argument("--folder", type=Path, default=kept, help="where logs are kept for the next time")
    return parser.parse_args()


@contextmanager
def spark(events: int) -> Iterator[SparkSession]:
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        # conf/spark-defaults.conf has the quick compiler alone, for runs of minutes; a cluster has both
        .config("spark.driver.extraJavaOptions", "-XX:+UseParallelGC")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", max(8, events // EVENTS_A_PARTITION))
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@contextmanager
def peers() -> Iterator[list[Contender]]:
    """DuckDB and polars in the analysts' environment, a process each."""
    rules, micro = in_spark.RULES, timedelta(microseconds=1)
    limits = [rules.gap // micro, rules.max_duration // micro, rules.max_events, rules.bot_events_per_minute]
    python, script = ROOT / ".venv-analyst/bin/python", Path(__file__).with_name("peers.py")
    started = {
        engine: subprocess.Popen(
            [python, script, engine, json.dumps(limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for engine in ("duckdb", "polars")
    }
    tasks = (("cut", "duckdb"), ("cut", "polars"), ("sessions", "duckdb"))
    yield [peer(started[engine], task, engine) for task, engine in tasks]
    for process in started.values():
        process.communicate()


def peer(process: "subprocess.Popen[str]", task: str, engine: str) -> Contender:
    def ask(log: Path) -> dict[str, Any]:
        assert process.stdin
        assert process.stdout
        print(json.dumps({"log": str(log), "task": task}), file=process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        return answer

    return Contender(
        task, engine, process.pid, lambda log: ask(log)["seconds"], lambda log: ask(log)["found"]
    )


def require_agreement(contenders: Sequence[Contender], log: Path) -> None:
    """Stop where two find different things; everything is warm afterwards."""
    found: dict[str, dict[str, Sequence[int]]] = {}
    for contender in contenders:
        found.setdefault(contender.task, {})[contender.engine] = contender.found(log)
    for task, answers in found.items():
        if len({tuple(answer) for answer in answers.values()}) > 1:
            raise SystemExit(f"{log.name}, {task}: they disagree: {answers}")
        print(f"{log.name}, {task}: {', '.join(answers)} found {next(iter(answers.values()))}")


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Quotients of the runs of the same rounds."""
    return spread([a / b for a, b in zip(above, below, strict=True)])


def spread(values: Sequence[float]) -> Spread:
    return min(values), statistics.median(values), max(values)


def growth_exponent(contender: Contender, small: Path, large: Path) -> float:
    """1 where ten times the events take ten times as long."""
    return math.log10(ratios(contender.took[large], contender.took[small])[1])


def print_table(named: dict[tuple[str, str], Contender], events: int, small: Path, large: Path) -> None:
    print(f"\n{events:,} events; least, median and most of each round")
    print(f"{'':<18}{'M events/s':>21}{'ours / theirs':>24}{'growth':>9}{'peak MB':>9}")
    for (task, engine), contender in named.items():
        speeds = spread([events / seconds / 1e6 for seconds in contender.took[large]])
        ours = named["sessions" if task == "sessions" else "cut", "ours"]
        faster = ratios(contender.took[large], ours.took[large])
        print(
            f"{task:>9} {engine:<8}{_row(speeds)}{'':3}{_row(faster)}"
            f"{growth_exponent(contender, small, large):>9.2f}{contender.peak.mb:>9.0f}"
        )


def _row(values: Spread) -> str:
    return "".join(f"{value:>7.2f}" for value in values)


def figures_of(
    named: dict[tuple[str, str], Contender], events: int, small: Path, large: Path, skewed: Path | None
) -> dict[str, Any]:
    """The figures of our cut; those of `sessions` under that name."""

    def of(task: str, rivals: dict[str, tuple[str, str]]) -> dict[str, Any]:
        ours = named[task, "ours"]
        least, median, most = spread([events / seconds for seconds in ours.took[large]])
        return {
            "events_per_s": median,
            "events_per_s_spread": [least, most],
            **{
                f"ratio_to_{rival}": ratios(named[which].took[large], ours.took[large])[1]
                for rival, which in rivals.items()
            },
            "growth_exponent": growth_exponent(ours, small, large),
            "skew_ratio": ratios(ours.took[skewed], ours.took[large])[1] if skewed else None,
            "peak_memory_mb": ours.peak.mb,
        }

    rivals = {
        "duckdb": ("cut", "duckdb"),
        "polars": ("cut", "polars"),
        "plain_window": ("cut", "window"),
        "scan": ("scan", "spark"),
    }
    runs = {
        f"{task}: {engine}": {log.name: took for log, took in contender.took.items()}
        for (task, engine), contender in named.items()
    }
    return {
        "events": events,
        **of("cut", rivals),
        "sessions": of("sessions", {"duckdb": ("sessions", "duckdb")}),
        "seconds": runs,
    }


if __name__ == "__main__":
    main()
