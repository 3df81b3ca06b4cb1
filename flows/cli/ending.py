"""The end of a run: what became of it is printed, and the command exits with what that comes to."""

from __future__ import annotations

import gc
import json
import sys
import time
from typing import TYPE_CHECKING, NoReturn

import typer

from stylebatch.flows.cli.terminal import out_console
from stylebatch.tasks.storage.places import Place

if TYPE_CHECKING:
    from stylebatch.tasks.runs.report import Outcomes


def end(
    outcomes: Outcomes, rows: int, folder: Place, started: float, log_json: bool, quiet: bool, as_json: bool
) -> NoReturn:
    """Print what became of a run, and exit with what that comes to."""
    from stylebatch.flows.screen import print_summary
    from stylebatch.tasks.runs.report import count

    left = rows - len(outcomes)
    counts: dict[str, int | str] = {str(name): number for name, number in count(outcomes).items()}
    counts |= {"left": left, "out": str(folder)}
    if log_json:
        from stylebatch.flows.json_log import JsonLog

        JsonLog(sys.stderr).ended(counts)
    if as_json:
        failures = [{"row": one.row, "id": one.id, "error": one.error} for one in outcomes if one.status == "failed"]
        print(json.dumps({**counts, "failures": failures}))
    elif not quiet and not log_json:
        print_summary(out_console, outcomes, left, folder, time.perf_counter() - started)
    gc.freeze()  # or the interpreter would spend a second on taking torch and Prefect apart
    raise typer.Exit(1 if left or any(outcome.status == "failed" for outcome in outcomes) else 0)
