"""Who is told when a task has failed for good: the log always, and a webhook where there is one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from airflow.sdk import BaseNotifier, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from airflow.sdk import Context

CONNECTION = "lstmrec_alerts"
PATIENCE_SECONDS = 10


class Alert(BaseNotifier):
    """Log the text, and post it as {"text": ...} to the webhook of the connection `lstmrec_alerts`.

    The connection's host is the webhook's URL, its password the part that is secret, added to the URL's
    end (Airflow leaves passwords out of logs). Without the connection the log alone is told.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def notify(self, context: Context) -> None:
        # rendered here, not as a template field: those keep what they were rendered to the first time
        text = self.render_template(self.text, context)
        self.log.error("alert: %s", text)
        try:
            webhook = Connection.get(CONNECTION)
        except AirflowNotFoundException:
            self.log.info("no connection %s: nobody else is told", CONNECTION)
            return
        body = json.dumps({"text": text}).encode()
        request = Request(
            f"{webhook.host}{webhook.password or ''}", body, {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            self.log.info("%s: told, answer %s", CONNECTION, answer.status)
