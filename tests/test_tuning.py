import shutil
from pathlib import Path

import pytest

from lstmrec import config, tuning
from lstmrec.learn.study import Found

BASE = Path(__file__).parents[1] / "conf" / "base.yaml"
SETTINGS = {"model": {"width": 64}, "training": {"learning_rate": 0.003}}
FOUND = Found(trial=7, trials=20, ndcg_at_10=0.0625, epochs=9, settings=SETTINGS)


@pytest.mark.parametrize(
    ("given", "written"), [("shop.yaml", "shop-tuned.yaml"), ("base.yaml", "tuned.yaml")]
)
def test_the_file_of_the_best_settings_is_a_conf_with_all_else_as_before(
    tmp_path: Path, given: str, written: str
) -> None:
    shutil.copy(BASE, tmp_path)
    (tmp_path / "shop.yaml").write_text("lake: {root: s3a://shop/lake}\nmodel: {width: 32, layers: 2}\n")
    path = tuning.write_conf(tmp_path / given, FOUND)
    assert path.name == written
    assert "trial 7 of 20, validation NDCG@10 0.0625 after 9 epochs" in path.read_text()
    before, after = config.load(tmp_path / given), config.load(path)
    assert (after.model.width, after.training.learning_rate) == (64, 0.003)
    changed = {
        "model": before.model.model_copy(update={"width": 64}),
        "training": before.training.model_copy(update={"learning_rate": 0.003}),
    }
    assert after == before.model_copy(update=changed)
