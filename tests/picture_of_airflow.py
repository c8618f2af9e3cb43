"""A picture of a DAG in a running Airflow, with its runbook open: the one in docs/airflow.md.

    .venv/bin/python -m tests.picture_of_airflow --url http://127.0.0.1:8080 \
        --passwords var/nights/airflow/simple_auth_manager_passwords.json.generated --out docs/airflow.png
"""

import argparse
import json
from pathlib import Path

from tests.browser import chromium

DAG_ID = "nightly_scoring"
PATIENCE_MS = 120_000  # Airflow may be busy with a night


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--url", required=True, help="of Airflow's pages")
    parser.add_argument("--passwords", type=Path, required=True, help="the file that Airflow made up")
    parser.add_argument("--out", type=Path, required=True, help="PNG file")
    flags = parser.parse_args()
    password = json.loads(flags.passwords.read_text(encoding="utf-8"))["admin"]
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{flags.url}/dags/{DAG_ID}")
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        for drawn in ("canvas", "a[href*='/runs/'][href*='/tasks/']"):  # the chart of runs; the grid of tasks
            page.locator(drawn).first.wait_for()
        page.get_by_role("button", name="Dag Docs").click()
        page.get_by_role("heading", name="Nightly top-N").wait_for()
        page.screenshot(path=flags.out, animations="disabled")


if __name__ == "__main__":
    main()
