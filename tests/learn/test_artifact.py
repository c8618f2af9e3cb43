import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstmrec.errors import BadArtifact, BadInput, BrokenContract
from lstmrec.learn import artifact
from lstmrec.learn.artifact import Artifact
from lstmrec.learn.export import export, read_item_ids
from lstmrec.learn.item_attributes import numbered
from lstmrec.learn.model import NextItemModel, build, encoder
from lstmrec.learn.spec import EpochRecord, TrainingSpec
from tests.learn.tables import model_config, record, result_of, spec

N_ITEMS = 12
EPOCH = EpochRecord(
    epoch=4, loss=2.5, ndcg_at_10=0.125, hit_rate_at_10=0.25, seconds=1.0, events_per_second=10.0
)


@pytest.fixture(scope="module")
def model() -> NextItemModel:
    built = build(N_ITEMS, 1, model_config())
    built.item_bias.assign(np.linspace(0, 1, N_ITEMS + 1))
    return built


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> TrainingSpec:
    return spec(tmp_path_factory.mktemp("lake"), [[1, 2, 3, 4]] * 4, N_ITEMS)


@pytest.fixture(scope="module")
def exported(model: NextItemModel, order: TrainingSpec) -> Path:
    export(model, order, result_of(order, EPOCH), read_item_ids(order.item_index, N_ITEMS))
    return Path(order.artifact_uri)


@pytest.fixture
def uri(exported: Path, tmp_path: Path) -> str:
    """A copy that a test may spoil."""
    return str(shutil.copytree(exported, tmp_path / "artifact"))


def encode(loaded: Artifact, items: list[list[int]], length: list[int]) -> np.ndarray:
    given = np.array(items, np.int32)
    ones = (given > 0).astype(np.int32)
    return loaded.encode(given, ones, ones, np.array(length, np.int32))


def test_what_was_exported_comes_back(model: NextItemModel, order: TrainingSpec, uri: str) -> None:
    loaded = artifact.load(uri)
    np.testing.assert_array_equal(loaded.item_matrix[1:], model.item_table.embeddings.numpy()[1:])
    np.testing.assert_array_equal(loaded.item_bias[1:], model.item_bias.numpy()[1:])
    assert loaded.item_ids[[0, 1, 12]].tolist() == ["", "i1", "i12"]
    assert loaded.manifest.model_dump(include=set(order.record.model_dump())) == order.record.model_dump()
    assert (loaded.manifest.n_items, loaded.manifest.width) == (N_ITEMS, 16)
    assert loaded.manifest.metrics["hit_rate_at_10"] == 0.25
    assert json.loads(Path(uri, "metrics.json").read_text())["history"][0]["epoch"] == 4


def test_padding_can_never_be_ranked(uri: str) -> None:
    loaded = artifact.load(uri)
    scores = encode(loaded, [[1, 2, 3]], [3]) @ loaded.item_matrix.T + loaded.item_bias
    assert scores[0, 0] == -np.inf
    assert np.isfinite(scores[0, 1:]).all()


def test_the_encoder_gives_the_vectors_of_keras(model: NextItemModel, uri: str) -> None:
    items = np.array([[1, 5, 3, 9], [7, 2, 0, 0]], np.int32)
    types, gaps, length = (
        (items > 0).astype(np.int32),
        np.array([[1, 8, 25, 2], [1, 3, 0, 0]]),
        np.array([4, 2]),
    )
    wanted = encoder(model)([items, types, gaps, length]).numpy()
    got = artifact.load(uri).encode(items, types, gaps, length)
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    assert got.dtype == np.float32


def test_what_is_exported_has_the_attributes_taken_in(order: TrainingSpec, tmp_path: Path) -> None:
    told = model_config(use_item_attributes=True)
    attributes = numbered({1: {"a"}, 5: {"a", "b"}, 9: {"b"}}, N_ITEMS + 1)
    model = build(N_ITEMS, 1, told, attributes.learnt_from(np.arange(N_ITEMS + 1) % 9))  # 9 has no own row
    uri = str(tmp_path / "told")
    made = order.model_copy(update={"model": told, "artifact_uri": uri})
    export(model, made, result_of(made, EPOCH), read_item_ids(order.item_index, N_ITEMS))
    loaded = artifact.load(uri)
    own, (_, of_a, of_b) = (t.embeddings.numpy() for t in (model.item_table, model.attribute_mean.rows))
    wanted = [own[1] + of_a, own[5] + (of_a + of_b) / 2, of_b, own[2]]
    np.testing.assert_allclose(loaded.item_matrix[[1, 5, 9, 2]], wanted, atol=1e-7)

    items = np.array([[1, 5, 9, 2], [9, 7, 0, 0]], np.int32)
    real, length = (items > 0).astype(np.int32), np.array([4, 2], np.int32)
    vectors = loaded.encode(items, real, real, length)
    np.testing.assert_allclose(vectors, encoder(model)([items, real, real, length]), atol=1e-5)
    scores = vectors @ loaded.item_matrix.T + loaded.item_bias
    np.testing.assert_allclose(scores[:, 1:], model.logits(vectors)[:, 1:], atol=1e-5)
    assert json.loads(Path(uri, "attribute_names.json").read_text()) == ["", "a", "b"]


def test_a_history_has_one_vector_whatever_its_padding_and_company(uri: str) -> None:
    loaded = artifact.load(uri)
    alone = encode(loaded, [[4, 8, 6]], [3])
    padded = encode(loaded, [[1] * 50, [4, 8, 6] + [0] * 47], [50, 3])
    np.testing.assert_allclose(padded[1:], alone, atol=1e-5)


def test_no_histories_give_no_vectors(uri: str) -> None:
    nothing = np.zeros((0, 5), np.int32)
    assert artifact.load(uri).encode(nothing, nothing, nothing, np.zeros(0, np.int32)).shape == (0, 16)


@pytest.mark.parametrize("name", [name for name in artifact.FILES if name != artifact.WEIGHTS])
def test_an_altered_or_missing_file_is_named(uri: str, name: str) -> None:
    path = Path(uri, name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadArtifact, match=f"{uri}: {name} is not the file its manifest describes"):
        artifact.load(uri)
    path.unlink()
    with pytest.raises(BadArtifact, match=f"{uri}: {name} is missing"):
        artifact.load(uri)


def test_a_half_written_artifact_cannot_be_loaded(uri: str) -> None:
    Path(uri, artifact.MANIFEST).unlink()
    with pytest.raises(BadArtifact, match=r"has no manifest.json"):
        artifact.load(uri)


@pytest.mark.parametrize("content", ["{", "[]", "null", '{"format_version": 1}'])
def test_a_broken_manifest_is_told(uri: str, content: str) -> None:
    Path(uri, artifact.MANIFEST).write_text(content)
    with pytest.raises(BadArtifact, match=r"manifest.json is not a manifest"):
        artifact.load(uri)


def test_another_format_is_told(uri: str) -> None:
    Path(uri, artifact.MANIFEST).write_text('{"format_version": 7}')
    with pytest.raises(BadArtifact, match="is of format 7, this code reads 1"):
        artifact.load(uri)


def test_another_item_index_is_told(uri: str) -> None:
    loaded = artifact.load(uri)
    loaded.require_index("a" * 64)
    with pytest.raises(BadArtifact, match="made with another item index"):
        loaded.require_index("b" * 64)


def test_an_item_the_model_does_not_know_is_told(uri: str) -> None:
    with pytest.raises(BadArtifact, match="knows item indices up to 12, a history names 13"):
        encode(artifact.load(uri), [[1, 13]], [2])


def test_an_artifact_replaces_the_one_before_it(exported: Path, uri: str) -> None:
    before = artifact.read_manifest(uri)
    artifact.publish(exported, record(model_version="m2"), {"ndcg_at_10": 0.5}, uri)
    after = artifact.load(uri).manifest
    assert (before.model_version, after.model_version) == ("m1", "m2")
    assert after.sha256 == before.sha256


def test_an_artifact_that_cannot_be_written_in_full_cannot_be_loaded(exported: Path, uri: str) -> None:
    Path(uri, artifact.METRICS).unlink()
    Path(uri, artifact.METRICS).mkdir()  # the last file to be written cannot be
    with pytest.raises(BadInput, match="the artifact cannot be written"):
        artifact.publish(exported, record(), {}, uri)
    with pytest.raises(BadArtifact, match=r"has no manifest.json"):
        artifact.load(uri)


@pytest.mark.parametrize("n_items", [N_ITEMS - 1, N_ITEMS + 1])
def test_an_item_index_that_is_not_dense_is_told(order: TrainingSpec, n_items: int) -> None:
    with pytest.raises(BrokenContract, match=f"not 1 to {n_items} once each"):
        read_item_ids(order.item_index, n_items)


def test_a_store_that_does_not_exist_is_told() -> None:
    with pytest.raises(BadInput, match="nowhere://bucket/model: cannot be opened"):
        artifact.load("nowhere://bucket/model")


def test_an_executor_needs_no_tensorflow_to_score(uri: str) -> None:
    code = (
        "import sys; from lstmrec.learn import artifact; artifact.load(sys.argv[1]); "
        "print(sorted({'tensorflow', 'keras', 'horovod', 'petastorm', 'pyspark'} & set(sys.modules)))"
    )
    root = str(Path(__file__).parents[2])
    ran = subprocess.run(
        [sys.executable, "-c", code, uri], capture_output=True, text=True, cwd=root, check=True
    )
    assert ran.stdout.strip() == "[]"
