"""Write the day's `metrics` of the newest model and the baselines on held-out items, and `comparisons`.

spark-submit jobs/evaluate_model.py --conf conf/base.yaml --run-date 2026-01-31
"""

from pyspark.sql import functions as F

from lstmrec import baselines, evaluation, runtime, scoring, tracking
from lstmrec import columns as c
from lstmrec.lake import checks, history, models
from lstmrec.lake.model_tables import COMPARISONS, ITEM_INDEX, METRICS, SEQUENCES
from lstmrec.lake.tables import ITEMS, USERS
from lstmrec.lake.validity import valid_on
from lstmrec.prepare import slices, splits
from lstmrec.rank.scorers import Scorer
from lstmrec.runtime import Run


@runtime.job("evaluate_model", __doc__)
def main(run: Run) -> None:
    rules, partitions = run.config.evaluation, run.config.spark.shuffle_partitions
    candidate, serving = (find(run.lake, run.run_date) for find in (models.candidate, models.serving))
    model = candidate or models.current(run.lake, run.run_date)
    history.require_as_of(run.lake, SEQUENCES, run.run_date, "build_sequences")
    index, sequences = run.lake.read(ITEM_INDEX), run.lake.read(SEQUENCES)
    learn_from = run.config.training.learn_from  # no contender knows more than another
    train, test = (sequences.where(F.col(c.SPLIT) == split) for split in (learn_from, splits.TEST))

    lstm = scoring.ModelScorer.of(model, index)
    popularity = baselines.popularity_counts(baselines.item_popularity(train), model.n_items)
    neighbours = baselines.covisitation(train, rules.covisitation_window, rules.covisitation_neighbours)
    contenders: dict[str, Scorer] = {
        "lstm": lstm,
        "popularity": baselines.popularity_scorer(popularity),
        "last_item_covisitation": baselines.neighbour_scorer(neighbours, model.n_items),
    }
    if candidate and serving:
        older = scoring.ModelScorer.of(serving, index)
        contenders["serving"] = scoring.OlderModel(older, serving.n_items, model.n_items)
    names = list(contenders)

    items = valid_on(run.lake.read(ITEMS), run.run_date).join(index, on=c.ITEM_ID, how="inner")
    n_train = train.where(F.col(c.WINDOW) == 0).count()
    known = evaluation.catalogue(popularity, n_train, items, lstm.model.item_matrix, rules.tail_share)
    users = valid_on(run.lake.read(USERS), run.run_date)
    sliced = slices.with_slices(test, evaluation.item_facts(run.spark, known), users, rules)

    scorers, n = list(contenders.values()), max(rules.ks)
    per_block = run.config.scoring.users_per_block
    judged = scoring.judge(sliced, (c.SEQUENCE_ID, c.SLICES), scorers, model.n_items, n, per_block).persist()
    measured = evaluation.measure(judged, names, known, rules, partitions)
    judged.unpersist()

    run.log.info("users by slice", **measured.n_users)
    for name in names:
        run.log.info("metrics", model=name, **evaluation.headline(measured, name))
    labels = {c.RUN_DATE: run.run_date, "dataset": splits.TEST}
    versions = {"lstm": model.model_version} | ({"serving": serving.model_version} if serving else {})
    rows = [{**f.row(labels), c.MODEL_VERSION: versions.get(f.model)} for f in measured.figures]
    leads = [{**lead.row(labels), c.MODEL_VERSION: model.model_version} for lead in measured.leads]
    for table, written in ((METRICS, rows), (COMPARISONS, leads)):
        frame = run.spark.createDataFrame(written, table.schema)
        checks.require_unique(frame, table.key, table.name)
        run.lake.replace_date(table, frame, run.run_date)
    tracking.model(run.lake, run.config.tracking, model.model_version)


if __name__ == "__main__":
    main()
