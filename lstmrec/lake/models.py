"""Training runs in `model_runs`: which model a run date is served with, and whether one exists already."""

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import BadInput
from lstmrec.lake.model_tables import MODEL_RUNS
from lstmrec.lake.store import Lake

CANDIDATE = "candidate"
CURRENT = "current"
RETIRED = "retired"


@dataclass(frozen=True)
class ModelRun:
    """What a job needs to know to use a trained model."""

    model_version: str
    artifact: str
    n_items: int
    index_fingerprint: str
    run_date: date


def current(lake: Lake, run_date: date) -> ModelRun:
    """The model that serves `run_date`: of those promoted the one trained last up to that date.

    Raises
    ------
    BadInput
        Where no model serves then.
    """
    found = serving(lake, run_date)
    if found is None:
        raise BadInput(
            f"model_runs: no model serves {run_date} at {lake.path(MODEL_RUNS)}; run train_model, "
            "evaluate_model and promote_model"
        )
    return found


def serving(lake: Lake, run_date: date) -> ModelRun | None:
    """The same, None where no model serves then."""
    newest = _newest(lake, run_date, CURRENT)
    return None if newest is None else _as_run(newest)


def candidate(lake: Lake, run_date: date) -> ModelRun | None:
    """The model trained last up to `run_date` that was neither promoted nor retired, if none serves since."""
    newest, current = (_newest(lake, run_date, stage) for stage in (CANDIDATE, CURRENT))
    if newest is None or (current is not None and current[c.RUN_DATE] > newest[c.RUN_DATE]):
        return None
    return _as_run(newest)


def roll_back(lake: Lake, model_version: str) -> None:
    """Let the model serve from its run date on; all current models of that date and of later ones retire.

    Raises
    ------
    BadInput
        Where there is no such model.
    """
    runs = lake.read(MODEL_RUNS)
    chosen = runs.where(F.col(c.MODEL_VERSION) == model_version).first()
    if chosen is None:
        known = [r[c.MODEL_VERSION] for r in runs.orderBy(F.desc(c.RUN_DATE), c.MODEL_VERSION).take(10)]
        raise BadInput(f"model_runs: no model {model_version!r}; the newest are {', '.join(known)}")
    _choose(lake, runs.where(F.col(c.RUN_DATE) >= F.lit(chosen[c.RUN_DATE])), model_version)


def make_current(lake: Lake, model: ModelRun) -> None:
    """Let one model serve from its run date on; other current models of that date retire, in one commit.

    So the settings trained last are the ones that serve, and not those whose version sorts last.
    """
    runs = lake.read_version(MODEL_RUNS, lake.version(MODEL_RUNS))
    _choose(lake, runs.where(F.col(c.RUN_DATE) == F.lit(model.run_date)), model.model_version)


def versions_in_use(lake: Lake, run_date: date, model_days: int) -> dict[str, set[int]]:
    """Table -> those of its versions that models in use were made of.

    In use are the model that serves `run_date`, all candidates, and all models whose run date is less
    than `model_days` before it, or after it. An older model that another has followed is out of use
    although its stage may be current: only the models of one date retire each other.
    """
    if not lake.exists(MODEL_RUNS):
        return {}
    now = serving(lake, run_date)
    in_use = (F.col("stage") == CANDIDATE) | (F.col(c.RUN_DATE) > F.lit(run_date - timedelta(model_days)))
    if now is not None:
        in_use |= F.col(c.MODEL_VERSION) == now.model_version
    versions: dict[str, set[int]] = {}
    for row in lake.read(MODEL_RUNS).where(in_use).select("table_versions").collect():
        for table, version in row["table_versions"].items():
            versions.setdefault(table, set()).add(version)
    return versions


def exists(lake: Lake, model_version: str) -> bool:
    """Whether `model_runs` holds the version."""
    lake.create(MODEL_RUNS)
    return not lake.read(MODEL_RUNS).where(F.col(c.MODEL_VERSION) == model_version).isEmpty()


def _newest(lake: Lake, run_date: date, stage: str) -> Row | None:
    trained = lake.read(MODEL_RUNS).where((F.col(c.RUN_DATE) <= F.lit(run_date)) & (F.col("stage") == stage))
    return trained.orderBy(F.desc(c.RUN_DATE), F.desc(c.MODEL_VERSION)).first()


def _as_run(row: Row) -> ModelRun:
    return ModelRun(
        row[c.MODEL_VERSION], row["artifact"], row["n_items"], row["index_fingerprint"], row[c.RUN_DATE]
    )


def _choose(lake: Lake, among: DataFrame, model_version: str) -> None:
    chosen = F.col(c.MODEL_VERSION) == model_version
    stage = F.when(chosen, CURRENT).when(F.col("stage") == CURRENT, RETIRED).otherwise(F.col("stage"))
    moved = among.withColumn("_stage", stage).where(F.col("_stage") != F.col("stage"))
    if not moved.isEmpty():
        lake.upsert(MODEL_RUNS, moved.withColumn("stage", F.col("_stage")).drop("_stage"))


def index_fingerprint(index: DataFrame, n_items: int) -> str:
    """The fingerprint of the part of the item index that a model of `n_items` items knows."""
    return fingerprint(index.where(F.col(c.ITEM_INDEX) <= n_items).select(c.ITEM_ID, c.ITEM_INDEX))


def fingerprint(rows: DataFrame) -> str:
    """The same text for the same set of rows, in whatever order and files: a sum of 64-bit hashes."""
    hashed = F.xxhash64(*rows.columns).cast("decimal(38,0)")
    total = rows.agg(F.count(F.lit(1)).alias("n"), F.coalesce(F.sum(hashed), F.lit(0)).alias("sum")).first()
    if total is None:
        return "0-0"
    return f"{total['n']:x}-{int(total['sum']) % 2**64:016x}"
