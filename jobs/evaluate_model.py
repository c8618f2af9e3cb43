"""Write the day's `metrics`: the current model on the held-out items, and the baselines beside it.

spark-submit jobs/evaluate_model.py --conf conf/base.yaml --run-date 2026-01-31
"""

from dataclasses import asdict

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import baselines, runtime, scoring
from lstmrec import columns as c
from lstmrec.lake import checks, models
from lstmrec.lake.model_tables import ITEM_INDEX, METRICS, SEQUENCES
from lstmrec.lake.models import ModelRun
from lstmrec.prepare import splits
from lstmrec.rank import metrics
from lstmrec.rank.scorers import Scorer
from lstmrec.runtime import Run


@runtime.job("evaluate_model", __doc__)
def main(run: Run) -> None:
    model = models.current(run.lake, run.run_date)
    sequences = run.lake.read(SEQUENCES)
    test = sequences.where(F.col(c.SPLIT) == splits.TEST).persist()

    learnt = sequences.where(F.col(c.SPLIT) == run.config.training.learn_from)  # no contender knows more

    rules = run.config.evaluation
    rows = []
    for name, scorer in contenders(run, model, learnt).items():
        ranks = scoring.rank_targets(test, scorer, model.n_items, run.config.scoring.users_per_block)
        taken = ranks.groupBy(c.RANK).agg(F.count(F.lit(1)).alias("n_users")).orderBy(c.RANK).toPandas()
        estimates = metrics.estimate(
            taken[c.RANK].to_numpy(),
            taken["n_users"].to_numpy(),
            rules.ks,
            resamples=rules.bootstrap_resamples,
            seed=rules.bootstrap_seed,
        )
        version = model.model_version if isinstance(scorer, scoring.ModelScorer) else None
        labels = {
            c.RUN_DATE: run.run_date,
            "model": name,
            "dataset": splits.TEST,
            "slice": "all",
            c.MODEL_VERSION: version,
        }
        rows += [{**labels, **asdict(estimate)} for estimate in estimates]
        run.log.info("metrics", model=name, **{f"{e.metric}_at_{e.k}": round(e.value, 4) for e in estimates})

    table = run.spark.createDataFrame(rows, METRICS.schema)
    checks.require_unique(table, METRICS.key, METRICS.name)
    run.lake.replace_date(METRICS, table, run.run_date)
    test.unpersist()


def contenders(run: Run, model: ModelRun, train: DataFrame) -> dict[str, Scorer]:
    rules = run.config.evaluation
    neighbours = baselines.covisitation(train, rules.covisitation_window, rules.covisitation_neighbours)
    return {
        "lstm": scoring.ModelScorer.of(model, run.lake.read(ITEM_INDEX)),
        "popularity": baselines.popularity_scorer(baselines.item_popularity(train), model.n_items),
        "last_item_covisitation": baselines.neighbour_scorer(neighbours, model.n_items),
    }


if __name__ == "__main__":
    main()
