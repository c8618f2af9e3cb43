"""All that a rank needs to train a model, as one JSON text that travels to every rank."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from lstmrec.learn.artifact import ModelRecord
from lstmrec.recipe import ModelConfig, TrainingConfig

NOT_OF_THE_MODEL: Final = {"launcher", "start_timeout_seconds", "artifacts", "checkpoint_epochs"}
"""Training keys that say where and how it runs: the model is the same whatever they are."""


class DataFile(BaseModel):
    """One Parquet file of a pinned version of `sequences`, of one split and one padded length."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    padded_length: Annotated[int, Field(ge=1)]
    rows: Annotated[int, Field(ge=0)]


class Limits(BaseModel):
    """Where a trial of a search ends, however patient it is: early if it falls behind, and in time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least_ndcg_at_10: tuple[float, ...] = ()
    """By epoch: one whose best validation NDCG@10 so far is below this ends after that epoch."""
    seconds: Annotated[float, Field(gt=0)] | None = None
    """No epoch begins that would end later after the start, going by the mean so far; the first does."""


class TrainingSpec(BaseModel):
    """One training run: its data at pinned versions, its settings, and where the artifact goes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: tuple[DataFile, ...]
    validation: tuple[DataFile, ...]
    train_and_validation: tuple[DataFile, ...] = ()
    """What the final model learns from, where training.learn_from asks for it, once epochs are chosen."""
    item_index: tuple[str, ...]
    """The Parquet files of the pinned `item_index` (item_id, item_index from 1 on); the chief reads them."""
    items: tuple[str, ...] = ()
    """The Parquet files of the pinned `items`, where model.use_item_attributes asks for them; likewise."""
    epochs: Annotated[int, Field(ge=1)] | None = None
    """Train for so many, which an earlier training chose, without validation; None: choose by it."""
    limits: Limits = Limits()
    """Of the epochs that validation chooses from."""
    n_items: Annotated[int, Field(ge=1)]
    model: ModelConfig
    training: TrainingConfig
    artifact_uri: str
    warm_start_uri: str | None = None
    """The artifact whose weights it begins with; None: with new ones."""
    record: ModelRecord

    @property
    def n_event_types(self) -> int:
        return len(self.record.event_types)


def by_padded_length(files: Sequence[DataFile]) -> dict[int, tuple[DataFile, ...]]:
    """The files of each padded length, shortest first; within a length by URI, so that all ranks agree."""
    lengths = sorted({file.padded_length for file in files})
    return {
        length: tuple(sorted((f for f in files if f.padded_length == length and f.rows), key=lambda f: f.uri))
        for length in lengths
    }


class EpochRecord(BaseModel):
    """What one epoch gave, over all ranks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    loss: float
    """What training minimised, over the epoch, with dropout: not to be compared with `validation_loss`."""
    accuracy: float | None = None
    """Share of a sample of training rows whose last item ranks first; None where nothing was validated."""
    validation_loss: float | None = None
    """Mean cross-entropy of the validation targets among all items; None where nothing was validated."""
    validation_accuracy: float | None = None
    """Share of the validation targets that rank first."""
    ndcg_at_10: float | None
    hit_rate_at_10: float | None
    seconds: float
    events_per_second: float


class TrainingResult(BaseModel):
    """What the chief reports: every epoch on the train split, and the one that validation chose.

    The artifact holds that epoch's weights, or those of as many epochs on train and validation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifact_uri: str
    processes: int
    steps_per_epoch: int
    best: EpochRecord
    history: tuple[EpochRecord, ...]
    seconds: float
