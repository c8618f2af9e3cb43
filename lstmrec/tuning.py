"""The bridge from the lake to a search for settings and back: its order, and the conf file of the best."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from lstmrec import layers, training
from lstmrec.config import Config
from lstmrec.lake.store import Lake
from lstmrec.layers import BASE
from lstmrec.learn.study import Found, StudySpec, study_name
from lstmrec.prepare.splits import TRAIN

_ATTRIBUTES: Final = "model.use_item_attributes"


def order(lake: Lake, config: Config, run_date: date) -> StudySpec:
    """What the trials need: the training that they vary, which learns from the train split alone.

    The study's name hashes all that its figures depend on: other data, settings or ranges are another study.
    """
    alone = config.training.model_copy(
        update={"processes": 1, "learn_from": TRAIN, "warm_start": "none", "checkpoint_epochs": 0}
    )
    # a trial may want the attributes: then the order has them
    model = config.model.model_copy(
        update={
            "use_item_attributes": config.model.use_item_attributes or _ATTRIBUTES in config.tuning.varied
        }
    )
    spec = training.order(lake, config.model_copy(update={"training": alone, "model": model}), run_date)
    trials = f"{config.training.artifacts.rstrip('/')}/trials/{spec.record.model_version}"
    return StudySpec(
        name=study_name(spec.record.model_version, config.tuning),
        training=spec.model_copy(update={"artifact_uri": trials}),
        tuning=config.tuning,
    )


def write_conf(conf: Path, found: Found) -> Path:
    """Write the file `conf` with the settings found laid over it, beside it, for --conf; its path.

    shop.yaml gives shop-tuned.yaml, base.yaml gives tuned.yaml.
    """
    own: dict[str, Any] = {} if conf.name == BASE else layers.read(conf)
    path = conf.with_name("tuned.yaml" if conf.name == BASE else f"{conf.stem}-tuned.yaml")
    told = (
        f"# Found by tune_model: trial {found.trial} of {found.trials}, "
        f"validation NDCG@10 {found.ndcg_at_10:.4f} after {found.epochs} epochs.\n"
    )
    path.write_text(told + yaml.safe_dump(layers.merge(own, found.settings), sort_keys=False))
    return path
