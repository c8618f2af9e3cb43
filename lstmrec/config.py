"""conf/*.yaml and the environment, as one frozen, validated model; a wrong key is named with its file."""

import os
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from lstmrec import layers as layering
from lstmrec.errors import BadConfig
from lstmrec.layers import BASE, ENV_DELIMITER, ENV_PREFIX
from lstmrec.mapping import SourceConfig
from lstmrec.recipe import ModelConfig, TrainingConfig, TuningConfig
from lstmrec.sections import (
    EvaluationConfig,
    GateConfig,
    IngestConfig,
    LakeConfig,
    LogConfig,
    OutcomesConfig,
    ReportConfig,
    ScoringConfig,
    SequencesConfig,
    SessionsConfig,
    SparkConfig,
    TrackingConfig,
    UpkeepConfig,
)


class Config(BaseSettings):
    """Everything a run needs besides its flags; one section a part of the road."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
    )

    lake: LakeConfig
    source: SourceConfig
    ingest: IngestConfig
    sessions: SessionsConfig
    sequences: SequencesConfig
    model: ModelConfig
    training: TrainingConfig
    tuning: TuningConfig
    evaluation: EvaluationConfig
    scoring: ScoringConfig
    gate: GateConfig
    outcomes: OutcomesConfig
    report: ReportConfig
    tracking: TrackingConfig
    upkeep: UpkeepConfig
    spark: SparkConfig
    log: LogConfig

    @model_validator(mode="after")
    def _a_row_group_for_each_rank(self) -> Self:
        if self.sequences.row_groups < self.training.processes:
            raise ValueError(
                "sequences.row_groups must be at least training.processes: ranks read whole row groups"
            )
        return self

    @model_validator(mode="after")
    def _names_its_own_types(self) -> Self:
        excluded = (kind for rule in self.scoring.rules.exclude for kind in rule.event_types or ())
        named = {
            "scoring.rules.exclude": set(excluded),
            "outcomes.click_types": set(self.outcomes.click_types or ()),
            "outcomes.purchase_types": set(self.outcomes.purchase_types),
        }
        for key, kinds in named.items():
            if unknown := kinds - self.source.vocabulary:
                raise ValueError(f"{key} names {sorted(unknown)}, which source.event_types gives to no event")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrides the files, which arrive as init values; nothing else is read."""
        return env_settings, init_settings


def load(path: Path) -> Config:
    """The configuration of `path` over the base.yaml beside it, under the environment.

    Raises
    ------
    BadConfig
        With one line a wrong key: the file (or environment variable) that set it, the key, the reason.
    """
    own = layering.read(path)  # first: of two missing files it is the one that was asked for
    base = path.with_name(BASE)
    layers = {str(base): own if path.name == BASE else layering.read(base), str(path): own}
    merged: dict[str, Any] = {}
    for layer in layers.values():
        merged = layering.merge(merged, layer)
    layering.require_known_variables(Config.model_fields)
    try:
        return Config(**merged)
    except ValidationError as error:
        raise BadConfig("; ".join(layering.explain(e, layers) for e in error.errors())) from None
    except SettingsError as error:
        value = getattr(error.__cause__, "doc", None)
        setters = [name for name in layering.variables() if os.environ[name] == value]
        names = ", ".join(setters) or ENV_PREFIX + "..."
        raise BadConfig(f"{names}: is not JSON, as a list or a section must be: got {value!r}") from None
