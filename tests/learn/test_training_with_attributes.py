"""Planted: an item follows any item of the attribute before its own. What is told of items decides."""

from pathlib import Path

import numpy as np
import pytest

from lstmrec.learn import artifact, distributed
from lstmrec.learn.spec import TrainingSpec
from tests.learn.catalogues import item, write_items
from tests.learn.tables import model_config, spec, training_config
from tests.learn.test_fit import hit_rate, scores_of

KINDS, OF_A_KIND = 8, 6
N_ITEMS = KINDS * OF_A_KIND
COLD = OF_A_KIND - 1
"""The last item of each kind is in no history that is learnt from."""


def name_of(kind: int, place: int) -> int:
    return kind * OF_A_KIND + place + 1


def walks(n: int, last: int | None, seed: int = 1) -> list[list[int]]:
    """From kind to kind by turns, to any warm item of each; at the end to the place `last` of its kind."""
    rng = np.random.default_rng(seed)
    histories = []
    for _ in range(n):
        first, length = int(rng.integers(KINDS)), int(rng.integers(5, 8))
        places = [int(rng.integers(COLD)) for _ in range(length)]
        if last is not None:
            places[-1] = last
        histories.append([name_of((first + step) % KINDS, at) for step, at in enumerate(places)])
    return histories


def order(root: Path, use: bool, **training: object) -> TrainingSpec:
    catalogue = [item(f"i{name_of(k, p)}", f"kind {k}") for k in range(KINDS) for p in range(OF_A_KIND)]
    made = spec(
        root,
        walks(200, last=None),
        N_ITEMS,
        model=model_config(use_item_attributes=use),
        training=training_config(max_epochs=15, patience=15, **training),
    )
    return made.model_copy(update={"items": write_items(root / "items", *catalogue)})


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["full", pytest.param("sampled", marks=pytest.mark.deep)])
def test_items_that_were_never_learnt_from_are_found_by_their_attributes(tmp_path: Path, loss: str) -> None:
    cold = walks(100, last=COLD, seed=2)

    def found(use: bool) -> float:
        result = distributed.launch(order(tmp_path / str(use), use, loss=loss))
        return hit_rate(cold, scores_of(artifact.load(result.artifact_uri), cold), k=OF_A_KIND)

    assert found(use=True) > 0.9
    assert found(use=False) < 0.5  # 8 cold items are alike
