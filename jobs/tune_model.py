"""Try settings of `model` and `training`, and write the best into a file for --conf, beside the one given.

spark-submit jobs/tune_model.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import runtime, tuning
from lstmrec.learn import study
from lstmrec.runtime import Run


@runtime.job("tune_model", __doc__)
def main(run: Run) -> None:
    found = study.tune(tuning.order(run.lake, run.config, run.run_date))
    path = tuning.write_conf(run.conf, found)
    run.log.info("tuned", trial=found.trial, trials=found.trials, ndcg_at_10=found.ndcg_at_10, conf=str(path))


if __name__ == "__main__":
    main()
