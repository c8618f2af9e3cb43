"""Write the `recommendations` of one run date: N items for every user, from the current model.

spark-submit jobs/score_recommendations.py --conf conf/base.yaml --run-date 2026-01-31
"""

from pyspark.sql import functions as F

from lstmrec import baselines, runtime, scoring
from lstmrec import columns as c
from lstmrec.lake import accounting, checks, models
from lstmrec.lake.model_tables import ITEM_INDEX, RECOMMENDATIONS, SEQUENCES
from lstmrec.lake.tables import SESSIONS, USERS
from lstmrec.lake.validity import valid_on
from lstmrec.prepare import histories, splits
from lstmrec.runtime import Run


@runtime.job("score_recommendations", __doc__)
def main(run: Run) -> None:
    model = models.current(run.lake, run.run_date)
    index = run.lake.read(ITEM_INDEX)
    scorer = scoring.ModelScorer.of(model, index)

    sequences = run.lake.read(SEQUENCES)
    warm = sequences.where(F.col(c.SPLIT) == splits.SCORE)
    users = histories.with_cold_users(warm, valid_on(run.lake.read(USERS), run.run_date))
    rules = run.config.scoring
    popularity = baselines.recent_popularity(run.lake.read(SESSIONS), run.run_date, rules.popularity_days)
    popular = scoring.PopularList.of(popularity, index)
    lists = (
        scoring.recommend(users, scorer, model.n_items, popular, rules.n, rules.users_per_block)
        .withColumns({c.RUN_DATE: F.lit(run.run_date), c.MODEL_VERSION: F.lit(model.model_version)})
        .persist()
    )

    checks.require_unique(lists, RECOMMENDATIONS.key, RECOMMENDATIONS.name)
    checks.require_unique(lists, (c.USER_ID, c.ITEM_ID), RECOMMENDATIONS.name)
    run.lake.replace_date(RECOMMENDATIONS, lists, run.run_date)
    run.record(lists.count(), accounting.count_outcomes(lists.select(c.SOURCE)))
    lists.unpersist()


if __name__ == "__main__":
    main()
