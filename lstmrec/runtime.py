"""What every job shares: its flags, its log, its Spark session, and how a user's mistake ends it."""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import structlog
from pyspark.sql import SparkSession

from lstmrec import __version__, config
from lstmrec.config import Config
from lstmrec.errors import LstmrecError
from lstmrec.lake import accounting
from lstmrec.lake.store import Lake
from lstmrec.sections import SparkConfig

EXIT_USER_MISTAKE = 2


@dataclass(frozen=True)
class Run:
    """One run of one job: its flags, and what it works with."""

    job: str
    run_date: date
    from_day: date | None
    model_version: str | None
    conf: Path
    config: Config
    spark: SparkSession
    lake: Lake
    log: structlog.stdlib.BoundLogger
    began: float
    """By a clock that only runs forward."""

    @property
    def run_id(self) -> str:
        """The same for a rerun: a second attempt replaces the first one's books."""
        return f"{self.job}-{self.run_date.isoformat()}"

    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.monotonic() - self.began

    def record(self, rows_in: int, outcomes: Mapping[str, int]) -> None:
        """Write this run's books, after checking that they balance."""
        self.record_as(self.run_id, rows_in, outcomes)

    def record_as(self, run_id: str, rows_in: int, outcomes: Mapping[str, int]) -> None:
        """The same, where the run has an id of its own, of what it read."""
        accounting.record(self.lake, run_id, self.run_date, self.job, rows_in, outcomes)
        self.log.info("books", rows_in=rows_in, **outcomes)


class Job:
    """A spark-submit entry: flags in, exit code out.

    Called with an argument list (or without, for the command line's) it parses the flags, loads the
    configuration, opens the lake and tells the story. A user's mistake is one line on stderr and
    exit code 2; anything else is a fault of ours and keeps its traceback.
    """

    def __init__(
        self,
        name: str,
        description: str | None,
        backfill: str | None,
        by_version: str | None,
        story: Callable[[Run], None],
    ) -> None:
        self.name = name
        self._description = description
        self._backfill = backfill
        self._by_version = by_version
        self._story = story

    def parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            prog=f"{self.name}.py",
            description=self._description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument(
            "--conf",
            type=Path,
            required=True,
            metavar="FILE",
            help="YAML file of differences over the base.yaml beside it, or base.yaml itself",
        )
        parser.add_argument(
            "--run-date",
            type=_day,
            required=True,
            metavar="YYYY-MM-DD",
            help="last UTC day whose log is included",
        )
        if self._backfill is not None:
            parser.add_argument(
                "--from", dest="from_day", type=_day, metavar="YYYY-MM-DD", help=self._backfill
            )
        if self._by_version is not None:
            parser.add_argument("--model-version", metavar="VERSION", help=self._by_version)
        return parser

    def __call__(self, argv: Sequence[str] | None = None) -> None:
        flags = self.parser().parse_args(argv)
        try:
            run = _open(self.name, flags)
            run.log.info("started", run_date=flags.run_date.isoformat())
            self._story(run)
            run.log.info("done", seconds=round(run.seconds(), 1))
        except LstmrecError as mistake:
            sys.stdout.flush()
            print(f"{self.name}: {mistake}", file=sys.stderr)
            raise SystemExit(EXIT_USER_MISTAKE) from None


def job(
    name: str, description: str | None, backfill: str | None = None, by_version: str | None = None
) -> Callable[[Callable[[Run], None]], Job]:
    """Make a job of a function of its run.

    One that can do past days again says so in `backfill`, one that can be told a model in `by_version`.
    """

    def make(story: Callable[[Run], None]) -> Job:
        return Job(name, description, backfill, by_version, story)

    return make


def spark_session(name: str, settings: SparkConfig) -> SparkSession:
    """The process's Spark session, ready for Delta; master and resources are spark-submit's to give."""
    return (
        SparkSession.builder.appName(f"lstmrec {name}")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", settings.shuffle_partitions)
        .config("spark.databricks.delta.snapshotPartitions", settings.snapshot_partitions)
        .config("spark.databricks.delta.optimizeWrite.binSize", f"{settings.write_mb}m")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.sql.legacy.parquet.nanosAsLong", "true")  # else it reads no file by pandas
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )


def _open(name: str, flags: argparse.Namespace) -> Run:
    began = time.monotonic()
    loaded = config.load(flags.conf)
    log = _logger(loaded.log.format).bind(job=name)
    spark = spark_session(name, loaded.spark)
    note = {"job": name, "run_date": flags.run_date.isoformat(), "code": __version__}
    return Run(
        job=name,
        run_date=flags.run_date,
        from_day=getattr(flags, "from_day", None),
        model_version=getattr(flags, "model_version", None),
        conf=flags.conf,
        config=loaded,
        spark=spark,
        lake=Lake(spark, loaded.lake.root, note),
        log=log,
        began=began,
    )


def _logger(form: str) -> structlog.stdlib.BoundLogger:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s", force=True)
    logging.getLogger().addFilter(_is_no_retry_of_py4j)
    for chatty in ("py4j", "petastorm", "absl", "tensorflow", "tf2onnx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=8)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if form == "console" else "iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    log: structlog.stdlib.BoundLogger = structlog.get_logger("lstmrec")
    return log


def _is_no_retry_of_py4j(record: logging.LogRecord) -> bool:
    """Py4J tells the root logger, with a traceback, of each idle connection that it then opens anew."""
    return record.getMessage() != "Exception while sending command."


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # weeks and other forms of ISO 8601 are no partition's name
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as YYYY-MM-DD")
    return day
