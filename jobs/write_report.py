"""Write the page of a run: what came in, how good the model is, what the lists are; and a summary to stdout.

spark-submit jobs/write_report.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import __version__, runtime
from lstmrec.report import contents, page
from lstmrec.report.summary import summary
from lstmrec.runtime import Run


@runtime.job("write_report", __doc__)
def main(run: Run) -> None:
    sections = contents.of_run(run.lake, run.config, run.run_date)
    site = run.config.source.site
    about = {"site": site, "run date": run.run_date, "lake": run.config.lake.root, "code": __version__}
    written = page.write(
        page.render(f"Recommendations of {site}, {run.run_date}", about, sections),
        run.config.report.folder,
        f"{run.run_date}.html",
    )
    print(summary(run.lake, run.run_date, run.config.scoring.n, run.config.report.sample_users))
    print(f"\nReport: {written}")


if __name__ == "__main__":
    main()
