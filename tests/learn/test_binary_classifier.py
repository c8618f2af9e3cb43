import math
from pathlib import Path

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorflow import make_ndarray

from lstmrec.learn import binary_classifier
from lstmrec.learn.binary_classifier import Trained
from lstmrec.learn.feed import Batch
from lstmrec.learn.spec import EpochRecord, TrainingSpec
from tests.learn.tables import spec, training_config
from tests.learn.test_fit import N_ITEMS, hit_rate, popularity, successors

HISTORIES = successors(300)


@pytest.fixture(scope="module", autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(5)


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> TrainingSpec:
    training = training_config(max_epochs=20, patience=5)
    return spec(tmp_path_factory.mktemp("run"), HISTORIES, N_ITEMS, training=training)


@pytest.fixture(scope="module")
def chosen(order: TrainingSpec) -> Trained:
    return binary_classifier.train(order)


def ints(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.int32)


def batch(items: np.ndarray, length: list[int], target: list[int]) -> Batch:
    return Batch(items, items, items, np.array(length, np.int32), np.array(target, np.int32))


def saying(logit: float) -> binary_classifier.BinaryClassifier:
    """A classifier of 4 items that says the same of each, but of item 1: relu(3) more."""
    model = binary_classifier.build(4)
    model.set_weights([np.zeros_like(weights) for weights in model.get_weights()])
    model.verdict.bias.assign([logit])
    model.item_table.embeddings[1, 0].assign(3)
    model.of_item.kernel[0, 0].assign(1)
    model.verdict.kernel[0, 0].assign(1)
    return model


def test_each_position_is_asked_for_what_came_after_it_and_a_held_out_row_for_its_target() -> None:
    items = ints([5, 6, 7, 0], [5, 6, 7, 8], [9, 0, 0, 0])
    assert binary_classifier.next_items(batch(items, [3, 4, 1], [0, 0, 0])).tolist() == [
        [6, 7, 0, 0],
        [6, 7, 8, 0],
        [0, 0, 0, 0],
    ]
    assert binary_classifier.next_items(batch(items, [3, 4, 1], [8, 9, 4])).tolist() == [
        [0, 0, 8, 0],
        [0, 0, 0, 9],
        [4, 0, 0, 0],
    ]


def test_a_drawn_item_is_any_but_the_one_that_came_next() -> None:
    drawn = binary_classifier.others(np.full((1000, 3), 2, np.int32), 4, np.random.default_rng(1))
    counts = np.bincount(drawn.ravel(), minlength=5)
    assert counts[[0, 2]].tolist() == [0, 0]
    assert counts[[1, 3, 4]] == pytest.approx(1000, abs=100)  # four standard deviations


def test_loss_and_right_answers_are_those_of_hand() -> None:
    # logits: item 1 gets ln 3 of 3 + (ln 3 - 3), so yes by 3/4; the others no by far less than 1/2
    model = saying(math.log(3) - 3)
    after, drawn = ints([1, 1, 0]), ints([2, 1, 3])
    loss, right, count = binary_classifier.answers(model, ints([4, 3, 1]), after, drawn).numpy()
    no = math.log1p(math.exp(math.log(3) - 3))
    assert loss == pytest.approx(2 * math.log(4 / 3) + no + math.log(4))  # 1 drawn as a no costs -ln 1/4
    assert (right, count) == (3, 4)


def test_the_probability_of_a_candidate_is_that_of_its_score_among_all() -> None:
    model = binary_classifier.build(N_ITEMS)
    items, candidates = ints([3, 1, 2]), ints([5, 1, N_ITEMS])
    logits = model.logits(model.states(items)[0]).numpy()
    assert logits.shape == (3, N_ITEMS + 1)
    wanted = 1 / (1 + np.exp(-logits[np.arange(3), candidates[0]]))
    np.testing.assert_allclose(model(items, candidates).numpy()[0], wanted, rtol=1e-5)


def test_the_split_hidden_layer_is_a_dense_layer_over_state_and_item_together() -> None:
    model = binary_classifier.build(N_ITEMS)
    items = ints([3, 1, 2])
    state = model.recurrence(model.item_table(items))[0, -1].numpy()
    kernel = np.concatenate([model.of_state.kernel.numpy(), model.of_item.kernel.numpy()])
    together = np.concatenate([state, model.item_table.embeddings.numpy()[9]])
    hidden = np.maximum(together @ kernel + model.of_state.bias.numpy(), 0)
    wanted = hidden @ model.verdict.kernel.numpy()[:, 0] + model.verdict.bias.numpy()[0]
    assert model.logit_of(model.states(items)[:, -1], np.array([9])).numpy() == pytest.approx(
        wanted, rel=1e-4
    )


def scores_of(made: Trained, known: list[list[int]]) -> np.ndarray:
    items = ints(*(history + [0] * (16 - len(history)) for history in known))
    states = made.model.states(items).numpy()[np.arange(len(known)), [len(history) - 1 for history in known]]
    scores: np.ndarray = made.model.logits(states).numpy()
    return scores


def test_planted_successors_are_learnt_and_beat_popularity(order: TrainingSpec, chosen: Trained) -> None:
    learnt = hit_rate(HISTORIES, scores_of(chosen, [history[:-1] for history in HISTORIES]))
    assert learnt > 0.6  # 3 of 4 steps go to the successor, less those seen before
    assert hit_rate(HISTORIES, popularity(HISTORIES)) < 0.4
    assert chosen.best.validation_accuracy > 0.75


def test_the_weights_of_the_best_epoch_are_kept_and_tensorboard_has_all(
    order: TrainingSpec, chosen: Trained
) -> None:
    held_out = [history[:-1] for history in HISTORIES]
    scores = scores_of(chosen, [history[:-2] for history in HISTORIES])
    assert chosen.best.hit_rate_at_10 == pytest.approx(hit_rate(held_out, scores, k=10))
    assert chosen.best.ndcg_at_10 == max(epoch.ndcg_at_10 for epoch in chosen.history)
    assert len(chosen.history) - chosen.best.epoch in (0, order.training.patience)
    uri = Path(order.artifact_uri)
    folder = uri.parent / "tensorboard" / uri.name / "classifier"
    log = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        drawn = [float(make_ndarray(event.tensor_proto)) for event in log.Tensors(name)]
        assert drawn == pytest.approx([getattr(epoch, name) for epoch in chosen.history])


def test_so_many_epochs_as_are_given_learn_from_train_and_validation(order: TrainingSpec) -> None:
    training = order.training.model_copy(update={"learn_from": "train_and_validation"})
    final = order.model_copy(update={"epochs": 2, "training": training})
    once, again = binary_classifier.train(final), binary_classifier.train(final)
    assert [epoch.epoch for epoch in once.history] == [1, 2]
    assert once.best is once.history[-1]
    assert once.best.ndcg_at_10 is None
    np.testing.assert_array_equal(once.model.get_weights()[0], again.model.get_weights()[0])
    # each validation item is one more event to learn from
    one_epoch = order.model_copy(update={"epochs": 1})
    fewer = binary_classifier.train(one_epoch).history[0]
    assert events(once.history[0]) - events(fewer) == pytest.approx(len(HISTORIES))


def events(epoch: EpochRecord) -> float:
    return epoch.events_per_second * epoch.seconds
