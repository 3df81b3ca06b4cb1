"""``stylebatch status``."""

from __future__ import annotations

import json
from dataclasses import asdict

from stylebatch.flows.cli.options import JsonOption, RunDirArgument, VerboseOption
from stylebatch.flows.cli.terminal import clear_errors, out_console

EXAMPLE = "Example: [bold]stylebatch status outputs/demo[/]"


def status(
    run_dir: RunDirArgument,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Tell how far a run is, while it goes on or after: counts, rate, time left, failures by their cause."""
    with clear_errors(verbose):
        from stylebatch.flows.screen import print_status
        from stylebatch.tasks.runs.status import read_status

        found = read_status(run_dir)
    if as_json:
        print(json.dumps(asdict(found) | {"left": found.left}, default=str))
    else:
        print_status(out_console, found)
