from pathlib import Path

import keras
import numpy as np
import pytest

from lstmrec.errors import BadArtifact
from lstmrec.learn import artifact, distributed
from lstmrec.learn.artifact import CHOSEN_WEIGHTS, WEIGHTS
from lstmrec.learn.export import export
from lstmrec.learn.item_attributes import numbered
from lstmrec.learn.model import NextItemModel, build
from lstmrec.learn.spec import EpochRecord, TrainingSpec
from lstmrec.learn.warm_start import take_over
from lstmrec.recipe import ModelConfig
from tests.learn.tables import model_config, record, result_of, spec, training_config
from tests.learn.test_fit import N_ITEMS, successors

OLD_IDS = ["", "sofa", "lamp", "bed"]
NEW_IDS = ["", "lamp", "desk", "sofa", "rug"]  # other places, two new, no bed
EPOCH = EpochRecord(epoch=1, loss=1, ndcg_at_10=0.5, hit_rate_at_10=0.5, seconds=1, events_per_second=1)


def order(root: Path, n_items: int, config: ModelConfig | None = None) -> TrainingSpec:
    config = config or model_config()
    made = spec(root, [[1, 2, 3, 1]] * 4, n_items, model=config)
    told = record(config={"model": config.model_dump()}, event_types=["view", "buy"])
    return made.model_copy(update={"record": told})


def seeded(n_items: int, n_types: int, seed: int) -> NextItemModel:
    keras.utils.set_random_seed(seed)
    return build(n_items, n_types, model_config())


@pytest.fixture(scope="module")
def old() -> NextItemModel:
    built = seeded(3, 2, seed=1)
    built.item_bias.assign([0.0, 0.1, 0.2, 0.3])
    return built


@pytest.fixture(scope="module")
def uri(old: NextItemModel, tmp_path_factory: pytest.TempPathFactory) -> str:
    made = order(tmp_path_factory.mktemp("old"), 3)
    export(old, made, result_of(made, EPOCH), OLD_IDS, chosen=seeded(3, 2, seed=3))
    return made.artifact_uri


def test_old_items_keep_their_rows_and_new_ones_have_rows_of_their_own(
    old: NextItemModel, uri: str, tmp_path: Path
) -> None:
    new, fresh = seeded(4, 3, seed=2), seeded(4, 3, seed=2)
    start = order(tmp_path, 4).model_copy(update={"warm_start_uri": uri})
    told = start.record.model_copy(update={"event_types": ("cart", "buy", "view")})
    take_over(new, start.model_copy(update={"record": told}), NEW_IDS, WEIGHTS)

    rows, of_old, of_fresh = (m.item_table.embeddings.numpy() for m in (new, old, fresh))
    np.testing.assert_array_equal(rows, [of_old[0], of_old[2], of_fresh[2], of_old[1], of_fresh[4]])
    np.testing.assert_allclose(new.item_bias.numpy(), [0, 0.2, 0, 0.1, 0])
    types, old_types, fresh_types = (m.type_table.embeddings.numpy() for m in (new, old, fresh))
    np.testing.assert_array_equal(types, [old_types[0], fresh_types[1], old_types[2], old_types[1]])
    for one, other in zip(new.recurrences[0].weights, old.recurrences[0].weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 8}, r"another kind of model: it has model.width 16; set training.warm_start to none"),
        ({"use_gaps": False}, "it has model.use_gaps True"),
        ({"use_item_attributes": True}, "it has model.use_item_attributes False"),
    ],
)
def test_a_model_of_another_make_is_no_start(
    uri: str, tmp_path: Path, changes: dict[str, int], message: str
) -> None:
    start = order(tmp_path, 4, model_config(**changes)).model_copy(update={"warm_start_uri": uri})
    with pytest.raises(BadArtifact, match=message):
        take_over(build(4, 2, start.model), start, NEW_IDS, WEIGHTS)


def test_an_artifact_without_the_weights_asked_for_is_told(uri: str, tmp_path: Path) -> None:
    start = order(tmp_path, 4, model_config(dropout=0.3)).model_copy(update={"warm_start_uri": uri})
    Path(uri, CHOSEN_WEIGHTS).rename(tmp_path / "away")
    with pytest.raises(BadArtifact, match=f"{CHOSEN_WEIGHTS} is missing"):
        take_over(build(4, 2, start.model), start, NEW_IDS, CHOSEN_WEIGHTS)


def test_an_attribute_keeps_its_row_whatever_its_number(tmp_path: Path) -> None:
    told = model_config(use_item_attributes=True)
    keras.utils.set_random_seed(1)
    before = build(3, 2, told, numbered({1: {"c", "b"}, 3: {"b"}}, 4))
    made = order(tmp_path / "old", 3, told)
    export(before, made, result_of(made, EPOCH), OLD_IDS)

    keras.utils.set_random_seed(2)
    new = build(4, 2, told, numbered({1: {"a", "c"}, 2: {"b"}, 4: {"d"}}, 5))
    fresh = new.attribute_mean.rows.embeddings.numpy()
    start = order(tmp_path, 4, told.model_copy(update={"item_attributes": ("categories", "brand")}))
    take_over(new, start.model_copy(update={"warm_start_uri": made.artifact_uri}), NEW_IDS, WEIGHTS)

    rows, old = new.attribute_mean.rows.embeddings.numpy(), before.attribute_mean.rows.embeddings.numpy()
    np.testing.assert_array_equal(rows, [old[0], fresh[1], old[1], old[2], fresh[4]])  # none, a, b, c, d
    np.testing.assert_array_equal(new.item_table.embeddings[3], before.item_table.embeddings[1])  # the sofa


def test_choosing_starts_from_weights_that_saw_no_validation_item(tmp_path: Path) -> None:
    training = training_config(max_epochs=3, learn_from="train_and_validation")
    first = spec(tmp_path, successors(100), N_ITEMS, training=training)
    told = record(config={"model": first.model.model_dump()})
    before = distributed.launch(first.model_copy(update={"record": told}))

    still = training.model_copy(update={"learning_rate": 1e-12, "max_epochs": 1})
    again = first.model_copy(
        update={
            "record": told, "training": still, "warm_start_uri": before.artifact_uri,
            "artifact_uri": str(tmp_path / "again"),
        }
    )  # fmt: skip
    after = distributed.launch(again)
    assert after.best.ndcg_at_10 == before.best.ndcg_at_10  # of the chosen weights, not of the final ones
    one, other = (artifact.load(result.artifact_uri).item_matrix for result in (before, after))
    np.testing.assert_allclose(one, other, atol=1e-7)
