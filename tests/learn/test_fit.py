from pathlib import Path

import numpy as np
import pytest

from lstmrec.errors import BadInput, LstmrecError
from lstmrec.learn import artifact, distributed
from lstmrec.learn.artifact import Artifact
from lstmrec.learn.spec import Limits, TrainingSpec
from tests.learn.tables import model_config, spec, training_config

N_ITEMS = 40


def successors(n: int, seed: int = 1) -> list[list[int]]:
    """Histories in which 3 of 4 steps go to the item's one successor, the others to a popular item."""
    rng = np.random.default_rng(seed)
    successor = np.concatenate([[0], rng.permutation(N_ITEMS) + 1])
    popular = 1 / np.arange(1, N_ITEMS + 1)
    histories = []
    for _ in range(n):
        history = [int(rng.integers(1, N_ITEMS + 1))]
        while len(history) < rng.integers(6, 15):
            jump = int(rng.choice(N_ITEMS, p=popular / popular.sum())) + 1
            nxt = int(successor[history[-1]]) if rng.random() < 0.75 else jump
            if nxt not in history:
                history.append(nxt)
            elif jump not in history:
                history.append(jump)
        histories.append(history)
    return histories


def noise(n: int) -> list[list[int]]:
    rng = np.random.default_rng(3)
    return [(rng.permutation(N_ITEMS)[: rng.integers(6, 15)] + 1).tolist() for _ in range(n)]


def hit_rate(histories: list[list[int]], scores: np.ndarray, k: int = 3) -> float:
    """Share of histories whose last item is among the k best-scored items that were not there before."""
    scores = scores.copy()
    scores[:, 0] = -np.inf
    for line, history in zip(scores, histories, strict=True):
        line[history[:-1]] = -np.inf
    targets = np.array([history[-1] for history in histories])
    own = scores[np.arange(len(targets)), targets]
    return float(np.mean((scores >= own[:, None]).sum(axis=1) <= k))


def scores_of(model: Artifact, histories: list[list[int]], padded: int = 16) -> np.ndarray:
    known = [history[:-1] for history in histories]
    items = np.array([h + [0] * (padded - len(h)) for h in known], np.int32)
    gaps = np.where(items > 0, 7, 0).astype(np.int32)
    gaps[:, 0] = 1
    length = np.array([len(h) for h in known], np.int32)
    vectors = model.encode(items, (items > 0).astype(np.int32), gaps, length)
    return vectors @ model.item_matrix.T + model.item_bias


def popularity(histories: list[list[int]]) -> np.ndarray:
    counts = np.bincount(np.concatenate([h[:-1] for h in histories]), minlength=N_ITEMS + 1)
    return np.tile(counts.astype(float), (len(histories), 1))


def trained(order: TrainingSpec) -> Artifact:
    return artifact.load(distributed.launch(order).artifact_uri)


@pytest.mark.parametrize(
    ("loss", "precision"),
    [("full", "float32"), ("full", "mixed_bfloat16"), ("sampled", "float32"), ("bpr_max", "float32")],
)
def test_planted_successors_are_learnt_and_beat_popularity(tmp_path: Path, loss: str, precision: str) -> None:
    histories = successors(300)
    training = training_config(loss=loss, precision=precision)
    model = trained(spec(tmp_path, histories, N_ITEMS, training=training))
    learnt, popular = (
        hit_rate(histories, scores_of(model, histories)),
        hit_rate(histories, popularity(histories)),
    )
    assert learnt > 0.65  # 3 of 4 steps go to the successor, less those seen before
    assert popular < 0.4
    assert model.manifest.metrics["ndcg_at_10"] > 0.6


def test_nothing_is_learnt_from_noise(tmp_path: Path) -> None:
    histories = noise(300)
    model = trained(spec(tmp_path, histories, N_ITEMS, training=training_config(max_epochs=3)))
    chance = 3 / (N_ITEMS - 9)  # 9 items seen, on average
    assert hit_rate(histories, scores_of(model, histories)) < chance + 0.06  # 3 standard errors


def test_one_spec_gives_the_same_weights_twice(tmp_path: Path) -> None:
    training = training_config(max_epochs=2)
    dropping = model_config(dropout=0.2, embedding_dropout=0.2)
    order = spec(tmp_path, successors(60), N_ITEMS, training=training, model=dropping)
    first, again = trained(order), trained(order)
    np.testing.assert_array_equal(first.item_matrix, again.item_matrix)
    histories = successors(5, seed=2)
    np.testing.assert_array_equal(scores_of(first, histories), scores_of(again, histories))


def test_training_stops_early_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    training = training_config(max_epochs=40, patience=2, learning_rate=0.05, warmup_epochs=0)
    result = distributed.launch(spec(tmp_path, successors(60), N_ITEMS, training=training))
    gains = [epoch.ndcg_at_10 for epoch in result.history]
    assert len(gains) < 40
    assert len(gains) - result.best.epoch == 2
    assert result.best.ndcg_at_10 == max(gains)
    assert artifact.load(result.artifact_uri).manifest.metrics["ndcg_at_10"] == max(gains)


def test_a_trial_ends_where_it_falls_behind_or_another_epoch_would_be_too_late(tmp_path: Path) -> None:
    made = spec(tmp_path, successors(60), N_ITEMS, training=training_config(max_epochs=4))
    behind = made.model_copy(update={"limits": Limits(least_ndcg_at_10=(0.0, 1.1, 0.0))})
    late = made.model_copy(update={"limits": Limits(seconds=0.001)})
    assert len(distributed.launch(behind).history) == 2  # no NDCG is 1.1
    assert len(distributed.launch(late).history) == 1  # the first epoch comes in any case


def test_the_final_model_learns_what_only_validation_shows(tmp_path: Path) -> None:
    # item 40 comes but once a user, at the end: as the validation's target, and after it the test's
    histories = [[*[i for i in h if i != 40][:8], 40, 39] for h in successors(200)]
    ranks = {}
    for learn_from in ("train", "train_and_validation"):
        training = training_config(max_epochs=4, learn_from=learn_from)
        model = trained(spec(tmp_path / learn_from, histories, N_ITEMS, training=training))
        scores = scores_of(model, [[*h[:-2], 40] for h in histories])  # what comes after the train items
        ranks[learn_from] = float(np.mean((scores >= scores[:, [40]]).sum(axis=1)))
    assert ranks["train"] > 20
    assert ranks["train_and_validation"] < 6


def test_a_final_model_of_as_many_epochs_is_the_best_epoch_where_nothing_is_added(tmp_path: Path) -> None:
    training = training_config(max_epochs=12, patience=2, learning_rate=0.05, warmup_epochs=0)
    order = spec(tmp_path, successors(60), N_ITEMS, training=training)
    alone = trained(order)
    both = training.model_copy(update={"learn_from": "train_and_validation"})
    final = order.model_copy(update={"training": both, "train_and_validation": order.train})
    np.testing.assert_array_equal(alone.item_matrix, trained(final).item_matrix)

    told = final.model_copy(update={"epochs": int(alone.manifest.metrics["epoch"]), "validation": ()})
    result = distributed.launch(told)  # what the choice gave, without making it again
    np.testing.assert_array_equal(alone.item_matrix, artifact.load(result.artifact_uri).item_matrix)
    assert (result.best.ndcg_at_10, result.best.epoch) == (None, len(result.history))


def test_repeats_count_in_validation_where_seen_items_are_ranked(tmp_path: Path) -> None:
    histories = [[1, 2, 3, 1 + user % 3, 9] for user in range(60)]  # validation asks for an item seen before
    gains = {}
    for seen_items in ("left_out", "ranked"):
        training = training_config(max_epochs=1, seen_items=seen_items)
        order = spec(tmp_path / seen_items, histories, 10, lengths=(8,), training=training)
        gains[seen_items] = distributed.launch(order).best.hit_rate_at_10
    assert gains == {
        "left_out": 0,
        "ranked": 1,
    }  # the last of 10 items is a hit@10


def test_a_loss_that_is_not_finite_stops_the_training_with_its_place_and_what_to_try(tmp_path: Path) -> None:
    training = training_config(learning_rate=1e30, warmup_epochs=0)
    order = spec(tmp_path, successors(60), N_ITEMS, training=training)
    with pytest.raises(
        LstmrecError, match=r"epoch 1, step 2 of 3: the loss is nan.*lower training.learning_rate"
    ):
        distributed.launch(order)
    assert not Path(order.artifact_uri).exists()


def test_a_split_without_rows_is_told(tmp_path: Path) -> None:
    order = spec(tmp_path, successors(60), N_ITEMS).model_copy(update={"validation": ()})
    with pytest.raises(BadInput, match="split validation has no rows"):
        distributed.launch(order)
