"""What the page says of metrics, on a lake that can be read by hand."""

import pytest

from lstmrec.lake.model_tables import METRICS
from lstmrec.lake.store import Lake
from lstmrec.report.parts import Section
from lstmrec.report.quality import of_quality
from tests.report.planted import MONDAY, TUESDAY, put


@pytest.fixture(scope="module")
def tuesday(planted: Lake) -> Section:
    return of_quality(planted, TUESDAY, n_runs=14)


def test_the_headline_is_the_models_figures_at_ten(tuesday: Section) -> None:
    assert tuesday.tiles == {"NDCG at 10": 0.3, "item coverage at 10": 0.5}
    assert tuesday.note.startswith("Evaluated on 2026-01-27: the last item of 8 users")


def test_the_model_stands_beside_the_baselines_best_first_with_intervals(tuesday: Section) -> None:
    chart = tuesday.charts[0]
    assert chart.title == "NDCG at 10"
    assert chart.rows == [
        {"model": "lstm", "NDCG at 10": 0.3, "low": 0.25, "high": 0.35, "users": 8},
        {"model": "last_item_covisitation", "NDCG at 10": 0.2, "low": 0.15, "high": 0.25, "users": 8},
        {"model": "popularity", "NDCG at 10": 0.1, "low": 0.08, "high": 0.12, "users": 8},
    ]


def test_slices_come_after_the_whole(tuesday: Section) -> None:
    chart = tuesday.charts[1]
    assert [(row["slice"], row["model"], row["NDCG at 10"], row["users"]) for row in chart.rows] == [
        ("all", "lstm", 0.3, 8),
        ("all", "popularity", 0.1, 8),
        ("city=<i>Rome</i>", "lstm", 0.4, 3),
    ]


def test_the_trend_is_of_the_run_dates_up_to_this_one(tuesday: Section) -> None:
    trend = tuesday.charts[2]
    of_model = [row for row in trend.rows if row["model"] == "lstm"]
    assert of_model == [
        {"run date": "2026-01-26", "NDCG at 10": 0.2, "model": "lstm"},
        {"run date": "2026-01-27", "NDCG at 10": 0.3, "model": "lstm"},
    ]


def test_every_metric_has_its_interval_and_the_run_before(tuesday: Section) -> None:
    figures, _ = tuesday.tables
    assert figures.rows == [
        {
            "metric": "item_coverage", "lstm": "0.5000", "popularity": "none",
            "last_item_covisitation": "none", "lstm on 2026-01-26": "none",
        },
        {
            "metric": "ndcg", "lstm": "0.3000 (0.2500 to 0.3500)", "popularity": "0.1000 (0.0800 to 0.1200)",
            "last_item_covisitation": "0.2000 (0.1500 to 0.2500)",
            "lstm on 2026-01-26": "0.2000 (0.1000 to 0.3000)",
        },
    ]  # fmt: skip


def test_a_baseline_that_the_page_does_not_know_is_shown_after_those_it_does(lake: Lake) -> None:
    figures = {"lstm": 0.3, "zip_code": 0.2, "popularity": 0.1}
    common = {"dataset": "test", "slice": "all", "metric": "ndcg", "k": 10, "n_users": 8, "run_date": TUESDAY}
    bounds = {"ci_low": 0.0, "ci_high": 1.0}
    put(lake, METRICS, [{"model": model, "value": v, **common, **bounds} for model, v in figures.items()])
    section = of_quality(lake, TUESDAY, n_runs=14)
    assert [row["model"] for row in section.charts[0].rows] == ["lstm", "zip_code", "popularity"]
    assert list(section.tables[0].rows[0]) == ["metric", "lstm", "popularity", "zip_code"]


def test_the_lead_has_its_p_value(tuesday: Section) -> None:
    _, leads = tuesday.tables
    assert leads.rows == [
        {
            "metric": "ndcg", "ahead of": "popularity", "by": "0.2000 (0.1000 to 0.3000)",
            "p-value": "0.000999", "users": 8,
        }
    ]  # fmt: skip


def test_a_first_evaluation_has_no_trend_and_says_that_there_is_none_before(planted: Lake) -> None:
    section = of_quality(planted, MONDAY, n_runs=14)
    assert [chart.title for chart in section.charts] == ["NDCG at 10"]
    (figures,) = section.tables
    assert "no evaluation before" in figures.note
    assert figures.rows == [{"metric": "ndcg", "lstm": "0.2000 (0.1000 to 0.3000)"}]


def test_no_evaluation_yet_is_told_in_words(lake: Lake) -> None:
    assert of_quality(lake, TUESDAY, n_runs=14).note == "Nothing was evaluated yet; see evaluate_model."
