"""Train the LSTM on `sequences`, write its artifact, and add the run to `model_runs`, as a candidate.

spark-submit jobs/train_model.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import runtime, tracking, training
from lstmrec.lake import history, models
from lstmrec.lake.model_tables import MODEL_RUNS, SEQUENCES
from lstmrec.learn import distributed
from lstmrec.runtime import Run


@runtime.job("train_model", __doc__)
def main(run: Run) -> None:
    history.require_as_of(run.lake, SEQUENCES, run.run_date, "build_sequences")
    spec = training.order(run.lake, run.config, run.run_date)
    version = spec.record.model_version
    if models.exists(run.lake, version):
        run.log.info("model stands", model_version=version, reason="same data and settings")
    else:
        result = distributed.launch(spec, run.spark)
        run.lake.add_missing(MODEL_RUNS, training.model_run(run.spark, spec, result))
        run.log.info("model", model_version=version, best_epoch=result.best.epoch, artifact=spec.artifact_uri)
    tracking.model(run.lake, run.config.tracking, version)


if __name__ == "__main__":
    main()
