"""What the page says of trainings, on a lake that can be read by hand."""

from lstmrec.lake.store import Lake
from lstmrec.report.parts import Chart
from lstmrec.report.training import of_training
from tests.report.planted import MONDAY, TUESDAY


def test_the_curves_are_those_that_the_newest_training_told(planted: Lake) -> None:
    section = of_training(planted, TUESDAY, n_runs=14)
    assert {chart.title: curves(chart) for chart in section.charts} == {
        "Loss": {"loss": [3.0, 2.5, 2.25], "validation loss": [3.5, 2.75, 3.25]},
        "Accuracy": {
            "accuracy": [0.1, 0.2, 0.15],
            "validation accuracy": [0.05, 0.1, 0.075],
            "validation hit rate at 10": [0.2, 0.4, 0.3],
        },
        "Quality of ranking": {"validation NDCG at 10": [0.1, 0.2, 0.15]},
    }
    assert section.note == "Model new, trained for 2026-01-27."
    assert "Epoch 2 was chosen" in section.charts[0].note
    assert "not to be compared" in section.charts[0].note


def curves(chart: Chart) -> dict[str, list[float]]:
    """Name -> the values of epochs 1, 2 and 3."""
    assert {row["epoch"] for row in chart.rows} == {1, 2, 3}
    up = next(name for name in chart.rows[0] if name not in ("epoch", "of"))
    by_epoch = sorted(chart.rows, key=lambda row: row["epoch"])
    return {name: [row[up] for row in by_epoch if row["of"] == name] for name in {r["of"] for r in by_epoch}}


def test_the_trainings_are_listed_newest_first_and_later_ones_are_left_out(planted: Lake) -> None:
    (listed,) = of_training(planted, TUESDAY, n_runs=14).tables
    assert [(row["run date"], row["model"], row["stage"]) for row in listed.rows] == [
        (TUESDAY, "new", "candidate"),
        (MONDAY, "old", "current"),
    ]
    assert listed.rows[0]["made of"] == "item_index v1, sequences v3"
    assert len(of_training(planted, TUESDAY, n_runs=1).tables[0].rows) == 1


def test_an_artifact_that_is_gone_leaves_no_curves_and_is_named(planted: Lake) -> None:
    section = of_training(planted, MONDAY, n_runs=14)
    assert section.charts == []
    assert "curves are gone with its artifact" in section.note
    assert "new-gone" in section.note


def test_no_model_yet_is_told_in_words(lake: Lake) -> None:
    assert of_training(lake, TUESDAY, n_runs=14).note == "No model was trained yet; see train_model."
