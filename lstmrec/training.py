"""The bridge from the lake to training and back: an order at pinned versions, and the record of it."""

import hashlib
import json
from datetime import date, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import __version__
from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.errors import BadInput
from lstmrec.lake import models
from lstmrec.lake.data_files import DataFile as StoredFile
from lstmrec.lake.data_files import data_files
from lstmrec.lake.model_tables import ITEM_INDEX, MODEL_RUNS, SEQUENCES
from lstmrec.lake.models import ModelRun
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import ITEMS
from lstmrec.lake.validity import valid_on
from lstmrec.learn.artifact import ModelRecord
from lstmrec.learn.spec import NOT_OF_THE_MODEL, DataFile, TrainingResult, TrainingSpec
from lstmrec.prepare.histories import type_vocabulary
from lstmrec.prepare.splits import TRAIN, TRAIN_AND_VALIDATION, VALIDATION


def order(lake: Lake, config: Config, run_date: date) -> TrainingSpec:
    """What the ranks need: files of the pinned `sequences`, settings, and a name for the result.

    The model's version is its run date and a hash of what goes into it: the rows it learns from, the
    item index, the settings, the model that it starts from. The same order twice is the same version.
    """
    splits = list(dict.fromkeys((TRAIN, VALIDATION, config.training.learn_from)))
    learnt = f"{c.SPLIT} IN ({', '.join(map(repr, splits))})"
    rows = lake.read(SEQUENCES).where(learnt)
    index = lake.read(ITEM_INDEX)
    n_items = index.count()
    index_fingerprint = models.index_fingerprint(index, n_items)
    settings = {
        "model": config.model.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json", exclude=NOT_OF_THE_MODEL),
        "sequences": config.sequences.model_dump(mode="json"),
    }
    tables = (SEQUENCES, ITEM_INDEX, ITEMS) if config.model.use_item_attributes else (SEQUENCES, ITEM_INDEX)
    attributes = [_attributes(lake, config, run_date, index)] if ITEMS in tables else []
    start = _start(lake, config, run_date)
    started_from = start and start.model_version
    learnt_from = [models.fingerprint(rows), index_fingerprint, *(models.fingerprint(a) for a in attributes)]
    made_of = json.dumps([settings, learnt_from, started_from, __version__], sort_keys=True)
    version = f"{run_date.isoformat()}-{hashlib.sha256(made_of.encode()).hexdigest()[:10]}"

    files = data_files(lake, SEQUENCES, learnt)
    train, validation, both = (
        tuple(_data_file(f) for f in files if f.partition[c.SPLIT] == s)
        for s in (TRAIN, VALIDATION, TRAIN_AND_VALIDATION)
    )
    if not train or not validation:
        raise BadInput(
            f"sequences: {len(train)} train and {len(validation)} validation files up to {run_date}: too few "
            "events to train on; a user needs at least sequences.min_length items"
        )
    return TrainingSpec(
        train=train,
        validation=validation,
        train_and_validation=both,
        item_index=tuple(f.uri for f in data_files(lake, ITEM_INDEX, "true")),
        items=tuple(f.uri for f in data_files(lake, ITEMS, "true")) if attributes else (),
        n_items=n_items,
        model=config.model,
        training=config.training,
        artifact_uri=f"{config.training.artifacts.rstrip('/')}/{version}",
        warm_start_uri=start and start.artifact,
        record=ModelRecord(
            model_version=version,
            run_date=run_date,
            item_index_version=lake.versions[ITEM_INDEX.name],
            item_index_fingerprint=index_fingerprint,
            table_versions={table.name: lake.versions[table.name] for table in tables},
            event_types=tuple(type_vocabulary(config.source.vocabulary)),
            code_version=__version__,
            started_from=started_from,
            config=settings,
        ),
    )


def _attributes(lake: Lake, config: Config, run_date: date, index: DataFrame) -> DataFrame:
    """What the model is told of each item, as the catalogue was on `run_date`: nothing that came later."""
    fields = [name for name in config.model.item_attributes if name != c.CATEGORIES]
    others = [F.col(c.ATTRIBUTES)[name].alias(f"_{name}") for name in fields]
    known = valid_on(lake.read(ITEMS), run_date).join(index, on=c.ITEM_ID, how="left_semi")
    return known.select(c.ITEM_ID, F.array_sort(c.CATEGORIES).alias(c.CATEGORIES), *others)


def _start(lake: Lake, config: Config, run_date: date) -> ModelRun | None:
    """The model that served the day before: a rerun starts from the same, whatever was promoted since."""
    if config.training.warm_start == "none" or not lake.exists(MODEL_RUNS):
        return None
    return models.serving(lake, run_date - timedelta(days=1))


def model_run(spark: SparkSession, spec: TrainingSpec, result: TrainingResult) -> DataFrame:
    """The row of `model_runs` for a finished training; a candidate until it is made current."""
    record = spec.record
    metrics = {
        "loss": result.best.loss,
        "accuracy": result.best.accuracy,
        "validation_loss": result.best.validation_loss,
        "validation_accuracy": result.best.validation_accuracy,
        "validation_ndcg_at_10": result.best.ndcg_at_10,
        "validation_hit_rate_at_10": result.best.hit_rate_at_10,
    }
    row = {
        c.MODEL_VERSION: record.model_version,
        c.RUN_DATE: record.run_date,
        "stage": models.CANDIDATE,
        "artifact": spec.artifact_uri,
        "code_version": record.code_version,
        "config": json.dumps(record.config, sort_keys=True),
        "table_versions": record.table_versions,
        "n_items": spec.n_items,
        "index_fingerprint": record.item_index_fingerprint,
        "processes": result.processes,
        "best_epoch": result.best.epoch,
        "metrics": {name: value for name, value in metrics.items() if value is not None},
        c.N_ROWS: sum(file.rows for file in spec.train),
        "seconds": result.seconds,
    }
    return spark.createDataFrame([row], MODEL_RUNS.schema)


def _data_file(file: StoredFile) -> DataFile:
    return DataFile(uri=file.uri, padded_length=file.partition[c.PADDED_LENGTH], rows=file.n_rows)
