"""The sections `model`, `training` and `tuning`: the network, how it learns, and what of both is varied."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lstmrec.sections import PositiveFloat, PositiveInt, Section, Share


class ModelConfig(Section):
    """What the network is made of."""

    width: PositiveInt
    layers: PositiveInt
    embedding_dropout: Share
    dropout: Share
    use_event_types: bool
    use_gaps: bool
    use_item_attributes: bool
    item_attributes: Annotated[tuple[str, ...], Field(min_length=1)]


class TrainingConfig(Section):
    """How, where and how long it learns."""

    launcher: Literal["spark", "horovodrun"]
    processes: PositiveInt
    batch_size: PositiveInt
    compression: Literal["none", "fp16"]
    precision: Literal["float32", "mixed_bfloat16"]
    learning_rate: PositiveFloat
    warmup_epochs: Annotated[float, Field(ge=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    gradient_clip: PositiveFloat
    loss: Literal["auto", "full", "sampled", "bpr_max"]
    full_up_to_items: PositiveInt
    label_smoothing: Share
    later_items: Share
    negatives: PositiveInt
    negatives_alpha: Annotated[float, Field(ge=0, le=1)]
    bpr_max_penalty: Annotated[float, Field(ge=0)]
    average_epochs: Annotated[float, Field(ge=0)]
    max_epochs: PositiveInt
    seen_items: Literal["left_out", "ranked"]
    learn_from: Literal["train", "train_and_validation"]
    patience: PositiveInt
    warm_start: Literal["none", "serving"]
    checkpoint_epochs: Annotated[int, Field(ge=0)]
    start_timeout_seconds: PositiveInt
    seed: Annotated[int, Field(ge=0)]
    artifacts: str

    @model_validator(mode="after")
    def _a_sequence_for_each_rank(self) -> Self:
        if self.batch_size % self.processes:
            raise ValueError("batch_size must be a multiple of processes: every rank takes an equal share")
        return self


class Range(Section):
    """Any number from low to high."""

    low: float
    high: float
    scale: Literal["linear", "log"]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.low >= self.high or (self.scale == "log" and self.low <= 0):
            raise ValueError("low must be below high, and above 0 where scale is log")
        return self


class Choices(Section):
    """One of these."""

    choices: Annotated[tuple[bool | int | float | str, ...], Field(min_length=1)]


class TuningConfig(Section):
    """How settings are searched for."""

    study: str
    trials: PositiveInt
    parallel: PositiveInt
    minutes: PositiveFloat
    prune_after_epochs: Annotated[int, Field(ge=0)]
    space: dict[str, Range | Choices | None]

    @field_validator("space")
    @classmethod
    def _varies_keys_of_ours(
        cls, space: dict[str, Range | Choices | None]
    ) -> dict[str, Range | Choices | None]:
        known = {f"model.{key}" for key in ModelConfig.model_fields}
        known |= {f"training.{key}" for key in TrainingConfig.model_fields}
        if unknown := space.keys() - known:
            raise ValueError(f"names {sorted(unknown)}, which are no keys of model or training")
        if not any(space.values()):
            raise ValueError("must name a key that is varied")
        return space

    @property
    def varied(self) -> dict[str, Range | Choices]:
        """Key -> what it may be."""
        return {name: choice for name, choice in self.space.items() if choice is not None}
