"""The process that carries out a run: named in run.json, and looked for by those who read it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import psutil


def this_process() -> dict[str, float]:
    """Number and start (seconds since 1970) of this process; the number alone would be another's one day."""
    process = psutil.Process()
    return {"process": process.pid, "process_started": process.create_time()}


def state_of(run: Mapping[str, Any]) -> str:
    """The state in ``run``, the contents of a run.json, but ``crashed`` for one that had no chance to write another.

    Raises:
        KeyError, TypeError: it is no run.json.
    """
    here = run["machine"]["name"] == platform.node()
    return "crashed" if run["state"] == "running" and here and not _goes_on(run) else str(run["state"])


def _goes_on(run: Mapping[str, Any]) -> bool:
    try:
        process = psutil.Process(run["process"])
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() == run["process_started"]
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # another user's, so that more cannot be told
        return True
