"""``stylebatch reprocess``."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer
from upath import UPath

from stylebatch.flows.cli.ending import end
from stylebatch.flows.cli.options import (
    AddressOption,
    AllowHttpOption,
    DevicesOption,
    FailFastOption,
    GridsOption,
    JsonOption,
    LogJsonOption,
    MaxFailuresOption,
    QuietOption,
    RunDirArgument,
    RunnerOption,
    TraceOption,
    VerboseOption,
    as_place,
)
from stylebatch.flows.cli.set_option import SetOption
from stylebatch.flows.cli.terminal import clear_errors, out_console, say_error
from stylebatch.flows.cli.watching import say_how_to_go_on, watching
from stylebatch.flows.prefect_server import configure
from stylebatch.flows.session import Session
from stylebatch.tasks.request.settings import parse_assignments
from stylebatch.tasks.storage.places import Place, as_parameter

EXAMPLE = (
    "Examples: [bold]stylebatch reprocess outputs/demo[/], "
    "[bold]stylebatch reprocess outputs/demo --where 'structure < 0.6 and style == \"glass\"' --set content_weight=3[/]"
)


def reprocess(
    run_dir: RunDirArgument,
    failed: Annotated[bool, typer.Option("--failed", help="Only the rows that failed.")] = False,
    where: Annotated[
        str, typer.Option(metavar="EXPR", help="Only the rows for which this holds of the report's columns.")
    ] = "",
    only: Annotated[
        UPath | None,
        typer.Option(
            parser=as_place, metavar="FILE", help="Only the rows that this manifest names, such as a gallery's picks."
        ),
    ] = None,
    set_: SetOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and why, and do nothing.")] = False,
    max_failures: MaxFailuresOption = None,
    fail_fast: FailFastOption = False,
    trace: TraceOption = False,
    grids: GridsOption = True,
    devices: DevicesOption = "auto",
    runner: RunnerOption = "threads",
    address: AddressOption = "",
    allow_http: AllowHttpOption = False,
    log_json: LogJsonOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Carry out an earlier run again: what is missing, failed, or whose pictures, weights or settings have changed.

    --set gives new settings to the rows that are chosen, to all of them where nothing chooses. Results whose key did
    not change are not computed again. Exits as run does.
    """
    configure(verbose)
    started = time.perf_counter()
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        if dry_run:
            _print_plan(run_dir, failed, where, only, overrides, devices, allow_http, as_json)
            raise typer.Exit
        from stylebatch.tasks.again.earlier import read_earlier

        read_earlier(run_dir)  # fails before Prefect's server starts
        session = Session(say_error, lambda: say_how_to_go_on(run_dir))
        with session.flows():
            from stylebatch.flows.reprocess import reprocess

            session.ready(runner, address)
            with watching(session, log_json, quiet or as_json or verbose, run_dir):
                limit = 1 if fail_fast else max_failures
                outcomes = reprocess(
                    as_parameter(run_dir),
                    failed,
                    where,
                    overrides,
                    limit,
                    trace,
                    devices,
                    runner,
                    address,
                    allow_http,
                    only and as_parameter(only),
                    grids,
                )
        from stylebatch.tasks.runs.status import read_status

        rows = read_status(run_dir).rows
    end(outcomes, rows, run_dir, started, log_json, quiet, as_json)


def _print_plan(
    run_dir: Place,
    failed: bool,
    where: str,
    only: Place | None,
    overrides: dict[str, str],
    devices: str,
    allow_http: bool,
    as_json: bool,
) -> None:
    from stylebatch.flows.screen import print_plan
    from stylebatch.tasks.again.reprocess import make_plan
    from stylebatch.tasks.devices.slots import make_slots

    plan = make_plan(run_dir, failed, where, overrides, make_slots(devices)[0], allow_http, only)
    if as_json:
        counts = {"unchanged": plan.unchanged, "left_alone": plan.left_alone, "gone": plan.gone}
        print(json.dumps({"rows": len(plan.manifest.rows), "reasons": plan.reasons, **counts}))
    else:
        print_plan(out_console, plan)
