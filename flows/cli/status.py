"""``stylebatch status``."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console

from stylebatch.flows.cli.options import JsonOption, RunDirArgument, VerboseOption
from stylebatch.flows.cli.terminal import clear_errors, error_console, out_console
from stylebatch.flows.text import duration, escape, named

if TYPE_CHECKING:  # it imports pyarrow
    from stylebatch.tasks.runs.status import RunStatus

EXAMPLE = "Example: [bold]stylebatch status outputs/demo[/]"


def status(
    run_dir: RunDirArgument,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Tell how far a run is, while it goes on or after: counts, rate, time left, failures by their cause."""
    with clear_errors(verbose), error_console.status("reading the run"):
        from stylebatch.tasks.runs.status import read_status

        found = read_status(run_dir)
    if as_json:
        print(json.dumps(asdict(found) | {"left": found.left}, default=str))
    else:
        _print(out_console, found)


def _print(console: Console, status: RunStatus) -> None:
    """State, counts, rate, time left, and the failures by their cause."""
    counts = ", ".join(f"{number} {name}" for name, number in status.counts.items())
    state = f"{escape(str(status.folder))}: {status.state}, {duration(status.elapsed)}"
    console.print(state, highlight=False, soft_wrap=True)
    console.print(f"{status.rows} rows: {counts}, {status.remaining} to do", highlight=False, soft_wrap=True)
    if status.state == "running" and status.left is not None:
        left = duration(status.left)
        console.print(f"{status.rate * 60:.1f} rows a minute, about {left} left", highlight=False)
    for cause, names in status.failures.items():
        console.print(f"[red]{len(names)} failed[/] {escape(cause)}\n  {escape(named(names))}", soft_wrap=True)
    if status.state != "running":
        command = ["stylebatch", "reprocess", str(status.folder)]
        for needed, what, option in (
            (status.failures, "what failed", ["--failed"]),
            (status.remaining, "what failed or is left", []),
        ):
            if needed:
                text = f"to do {what}: {escape(shlex.join([*command, *option]))}"
                console.print(text, highlight=False, soft_wrap=True)
