"""The sections `model` and `training`: the network, and how it learns."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lstmrec.sections import PositiveFloat, PositiveInt, Section, Share


class ModelConfig(Section):
    """What the network is made of."""

    width: PositiveInt
    layers: PositiveInt
    embedding_dropout: Share
    dropout: Share
    use_event_types: bool
    use_gaps: bool


class TrainingConfig(Section):
    """How, where and how long it learns."""

    launcher: Literal["spark", "horovodrun"]
    processes: PositiveInt
    batch_size: PositiveInt
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
