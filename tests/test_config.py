from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lstmrec.config import Config, load
from lstmrec.errors import BadConfig

BASE = Path(__file__).parents[1] / "conf" / "base.yaml"

Write = Callable[[str], Path]


@pytest.fixture
def own(tmp_path: Path) -> Write:
    """Writes a file of differences that has the real base.yaml beside it."""
    (tmp_path / "base.yaml").write_text(BASE.read_text())

    def write(text: str) -> Path:
        path = tmp_path / "own.yaml"
        path.write_text(text)
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(BadConfig) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_base_yaml_is_a_whole_configuration(config: Config) -> None:
    assert config.sessions.gap_minutes == 30
    assert config.sequences.length_buckets[-1] == config.sequences.max_length


def test_every_section_of_the_model_is_in_base_yaml_and_no_other() -> None:
    assert set(yaml.safe_load(BASE.read_text())) == set(Config.model_fields)


def test_a_second_file_changes_what_it_names_and_nothing_else(own: Write, config: Config) -> None:
    loaded = load(own("sessions:\n  gap_minutes: 45\nevaluation: {ks: [3]}\n"))
    assert loaded.sessions.gap_minutes == 45
    assert loaded.evaluation.ks == (3,)  # a list replaces a list
    back = loaded.model_copy(update={"sessions": config.sessions, "evaluation": config.evaluation})
    assert back == config
    assert loaded.sessions.model_copy(update={"gap_minutes": 30.0}) == config.sessions


def test_an_empty_second_file_changes_nothing(own: Write, config: Config) -> None:
    assert load(own("# nothing yet\n")) == config


def test_a_mapping_of_the_second_file_adds_to_the_one_below(own: Write) -> None:
    loaded = load(own("source: {event_types: {like: view}, event_fields: {device_id: null}}\n"))
    assert loaded.source.event_types == {
        "rate": "rate",
        "view": "view",
        "cart": "cart",
        "buy": "buy",
        "like": "view",
    }
    assert "device_id" not in loaded.source.event_fields.named()
    assert loaded.source.event_fields.named()["user_id"] == "user_id"


def test_the_environment_overrides_both_files(own: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMREC_MODEL__WIDTH", "7")
    monkeypatch.setenv("LSTMREC_EVALUATION__KS", "[4, 9]")
    loaded = load(own("model: {width: 5}\n"))
    assert (loaded.model.width, loaded.model.layers) == (7, 1)
    assert loaded.evaluation.ks == (4, 9)


def test_a_configuration_cannot_be_changed(config: Config) -> None:
    with pytest.raises(ValueError, match="frozen"):
        config.model.width = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sessions: {gap_minuts: 3}", "sessions.gap_minuts: unknown key, got 3"),
        ("sesions: {gap_minutes: 3}", "sesions: unknown key"),
        ("sessions: {gap_minutes: 0}", "sessions.gap_minutes: Input should be greater than 0, got 0"),
        ("sessions: {gap_minutes: many}", "sessions.gap_minutes: Input should be a valid number"),
        ("sessions: {gap_minutes: .inf}", "sessions.gap_minutes: Input should be a finite number"),
        ("model: {width: 3.5}", "model.width: Input should be a valid integer"),
        ("model: {dropout: 1}", "model.dropout: Input should be less than 1, got 1"),
        ("model:", "model: Input should be a valid dictionary"),
        ("model: {1: 2}", "model.1: Keys should be strings, got 1"),
        ("log: {format: xml}", "log.format: Input should be 'console' or 'json', got 'xml'"),
        ("evaluation: {ks: []}", "evaluation.ks: Tuple should have at least 1 item"),
        ("evaluation: {ks: [5, x]}", "evaluation.ks.1: Input should be a valid integer"),
        ("training: {batch_size: 63}", "training: batch_size must be a multiple of processes"),
        (
            "sequences: {length_buckets: [50, 25, 200]}",
            "sequences: length_buckets must rise and end with max_length",
        ),
        ("sequences: {max_length: 150}", "sequences: length_buckets must rise and end with max_length"),
        ("ingest: {earliest: 2100-01-01}", "ingest: earliest must be before latest"),
        (
            "source: {event_fields: {device_id: null, user_id: null}}",
            "source.event_fields: name a field for device_id, for user_id, or for both",
        ),
        (
            "source: {event_fields: {created_ts: null, received_ts: null}}",
            "source.event_fields: name a field for created_ts, for received_ts, or for both",
        ),
        ("sequences: {row_groups: 1}", "sequences.row_groups must be at least training.processes"),
        ("- model", "must be a mapping of sections, not a list"),
        ("1: 2", "must be a mapping of sections, but has the key 1"),
        ("model: [", "is not YAML: while parsing a flow node"),
    ],
)
def test_a_wrong_key_is_told_with_its_file_and_reason(own: Write, text: str, said: str) -> None:
    path = own(text)
    assert refusal(path).startswith(f"{path}: {said}")


def test_a_key_that_base_yaml_got_wrong_is_told_with_base_yaml(own: Write) -> None:
    path = own("model: {layers: 2}\n")
    base = path.with_name("base.yaml")
    base.write_text(base.read_text().replace("  width: 96 ", "  width: -96 "))
    assert refusal(path) == f"{base}: model.width: Input should be greater than or equal to 1, got -96"


def test_a_missing_section_is_told_with_its_name(own: Write) -> None:
    path = own("")
    base = yaml.safe_load(BASE.read_text())
    del base["scoring"]
    path.with_name("base.yaml").write_text(yaml.safe_dump(base))
    assert refusal(path).endswith(": scoring: Field required")


def test_an_exclusion_by_a_type_that_no_event_has_is_refused(own: Write) -> None:
    told = refusal(own("scoring: {rules: {exclude: [{event_types: [buy, sale], days: 7}]}}\n"))
    assert told.endswith("scoring.rules.exclude names ['sale'], which source.event_types gives to no event")


@pytest.mark.parametrize("key", ["click_types", "purchase_types"])
def test_outcomes_of_a_type_that_no_event_has_are_refused(own: Write, key: str) -> None:
    told = refusal(own(f"outcomes: {{{key}: [buy, sale]}}\n"))
    assert told.endswith(f"outcomes.{key} names ['sale'], which source.event_types gives to no event")


def test_all_wrong_keys_are_told_at_once(own: Write) -> None:
    told = refusal(own("model: {width: 0}\nscoring: {n: 0}\n")).split("; ")
    assert [line.split(": ")[1] for line in told] == ["model.width", "scoring.n"]


def test_a_wrong_variable_is_told_by_its_name(own: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMREC_MODEL__WIDTH", "0")
    assert refusal(own("model: {width: 5}\n")).startswith("LSTMREC_MODEL__WIDTH: model.width: ")


@pytest.mark.parametrize("name", ["LSTMREC_MODEL__WIDHT", "LSTMREC_MODL__WIDTH"])
def test_an_unknown_variable_is_told_as_an_unknown_key_is(
    own: Write, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "5")
    key = name.removeprefix("LSTMREC_").lower().replace("__", ".")
    assert refusal(own("")) == f"{name}: {key}: unknown key, got '5'"


def test_a_variable_that_names_no_key_of_a_section_is_not_ours(
    own: Write, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    monkeypatch.setenv("LSTMREC_CACHE", "/var/cache/lstmrec")
    assert load(own("")) == config


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("LSTMREC_TRAINING__BATCH_SIZE", "training: batch_size must be a multiple of processes"),
        ("LSTMREC_SEQUENCES__ROW_GROUPS", "sequences.row_groups must be at least training.processes"),
    ],
)
def test_a_variable_that_breaks_a_rule_over_several_keys_is_told(
    own: Write, monkeypatch: pytest.MonkeyPatch, name: str, rule: str
) -> None:
    monkeypatch.setenv(name, "1")
    path = own("sequences: {row_groups: 6}\ntraining: {batch_size: 32}\n")
    assert refusal(path).startswith(f"{path}, {name}: {rule}")


@pytest.mark.parametrize("name", ["LSTMREC_EVALUATION__KS", "LSTMREC_EVALUATION"])
def test_a_variable_that_should_be_json_and_is_not_is_told(
    own: Write, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "5, 10")
    assert refusal(own("")) == f"{name}: is not JSON, as a list or a section must be: got '5, 10'"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "base.yaml"
    assert refusal(path) == (
        f"{path}: cannot be read (No such file or directory); give --conf a file beside base.yaml"
    )


def test_of_two_missing_files_the_one_that_was_asked_for_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "own.yaml").startswith(f"{tmp_path}/own.yaml: cannot be read")


def test_a_file_without_a_base_yaml_beside_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("model: {width: 5}\n")
    assert refusal(tmp_path / "own.yaml").startswith(f"{tmp_path}/base.yaml: cannot be read")


def test_a_file_that_is_no_text_is_told(own: Write) -> None:
    path = own("")
    path.write_bytes(b"model: {width: \xff}")
    assert refusal(path).startswith(f"{path}: is not YAML: ")


def test_every_key_of_base_yaml_has_its_unit_or_reason_beside_it() -> None:
    told: dict[int, bool] = {}  # by indent, of the lines that the current one is within
    bare = []
    for line in BASE.read_text().splitlines():
        indent = len(line) - len(line.lstrip())
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        # A field of the log's needs none of its own where its mapping tells what its lines mean
        told = {outer: is_told for outer, is_told in told.items() if outer < indent} | {indent: "#" in line}
        is_section = line.rstrip().endswith(":")
        if indent and not is_section and not any(told[outer] for outer in told if outer):
            bare.append(line.strip())
    assert bare == []
