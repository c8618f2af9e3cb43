"""Let the newest candidate serve from its run date on, if its `metrics` pass the gate; or roll back.

spark-submit jobs/promote_model.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import gate, promotion, runtime, tracking
from lstmrec.lake import models
from lstmrec.runtime import Run

BY_VERSION = "let this version serve whatever its metrics, and retire the current ones of its date and later"


@runtime.job("promote_model", __doc__, by_version=BY_VERSION)
def main(run: Run) -> None:
    if run.model_version is not None:
        models.roll_back(run.lake, run.model_version)
        tracking.model(run.lake, run.config.tracking, run.model_version)
        run.log.info("rolled back", model_version=run.model_version)
        return
    candidate, serving = (find(run.lake, run.run_date) for find in (models.candidate, models.serving))
    if candidate is None:
        run.log.info("no candidate", serving=serving.model_version if serving else None)
        return
    verdicts = promotion.judge(run.lake, run.run_date, candidate, serving, run.config.gate)
    gate.require_met(verdicts, promotion.refusal(candidate.model_version))
    models.make_current(run.lake, candidate)
    tracking.model(run.lake, run.config.tracking, candidate.model_version)
    run.log.info("promoted", model_version=candidate.model_version)


if __name__ == "__main__":
    main()
