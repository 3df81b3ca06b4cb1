"""What the runs of a schedule tell: a line each, and a notification where one was asked for.

Each run is a process of its own. What it is to tell comes by its environment, and never by its parameters: these are
kept by Prefect, and a notification's URL has secrets.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import Any

from stylebatch.flows.notify import VARIABLE, notify
from stylebatch.flows.word import in_counts, in_lines
from stylebatch.tasks.runs.report import Outcomes
from stylebatch.tasks.storage.places import to_place, without_secrets


def tell(flow: Any, flow_run: Any, state: Any) -> None:
    """Prefect's hook at the end of a flow over rows, also of one whose process has died."""
    try:
        result = state.result(raise_on_failure=False)
    except Exception:  # nothing has come of it
        result = None
    folder = to_place(flow_run.parameters["out"])
    message = without_secrets(state.message or state.name).splitlines()[0]
    counts = f" ({in_counts(result)})" if isinstance(result, Outcomes) else ""
    print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {flow_run.name}: {message}{counts}", flush=True)
    if urls := os.environ.get(VARIABLE):
        body = in_lines(result, folder) if isinstance(result, Outcomes) else message
        if not notify(urls, f"{flow_run.name}: {message}", body):
            print("the notification did not get through", file=sys.stderr, flush=True)
