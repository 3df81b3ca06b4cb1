"""``stylebatch run``."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from stylebatch.flows.cli.ending import end
from stylebatch.flows.cli.options import (
    AddressOption,
    AllowHttpOption,
    DevicesOption,
    FailFastOption,
    JsonOption,
    LogJsonOption,
    ManifestArgument,
    MaxFailuresOption,
    OutOption,
    QuietOption,
    RunnerOption,
    SetOption,
    TraceOption,
    VerboseOption,
)
from stylebatch.flows.cli.terminal import clear_errors, say_error
from stylebatch.flows.cli.watching import say_how_to_go_on, watching, watching_gallery
from stylebatch.flows.prefect_server import configure
from stylebatch.flows.session import Session
from stylebatch.tasks.request.settings import parse_assignments
from stylebatch.tasks.storage.places import Place, as_parameter

EXAMPLE = "Example: [bold]stylebatch run manifests/demo.yaml --set size=512 --set steps=200[/]"


def run(
    manifest: ManifestArgument,
    out: OutOption = None,
    set_: SetOption = None,
    refresh: Annotated[bool, typer.Option(help="Stylize every pair again, also those that are done.")] = False,
    max_failures: MaxFailuresOption = None,
    fail_fast: FailFastOption = False,
    trace: TraceOption = False,
    devices: DevicesOption = "auto",
    runner: RunnerOption = "threads",
    address: AddressOption = "",
    allow_http: AllowHttpOption = False,
    with_gallery: Annotated[
        bool, typer.Option("--gallery", help="Write a gallery of the run when it is over; implies --trace.")
    ] = False,
    log_json: LogJsonOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Stylize every pair of a manifest. What is done already is not done again.

    Exits with 0 when all rows are done, 1 when some failed, 2 when nothing could be done.
    """
    configure(verbose)
    folder: Place = out or Path("outputs") / manifest.stem
    started = time.perf_counter()
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        from stylebatch.tasks.request.manifest import read_manifest

        # A request that cannot be carried out fails here, before Prefect's server starts.
        rows = len(read_manifest(manifest, allow_http).rows)
        session = Session(say_error, lambda: say_how_to_go_on(folder))
        with session.flows():
            from stylebatch.flows.stylize import stylize

            session.ready(runner, address)
            with watching(session, log_json, quiet or as_json or verbose):
                limit = 1 if fail_fast else max_failures
                traced = trace or with_gallery
                source, target = as_parameter(manifest), as_parameter(folder)
                outcomes = stylize(
                    source, target, overrides, refresh, limit, traced, devices, runner, address, allow_http
                )
            if with_gallery:
                from stylebatch.flows.gallery import gallery

                with nullcontext() if quiet or as_json or log_json or verbose else watching_gallery(session):
                    gallery([as_parameter(folder)], None, allow_http)
    end(outcomes, rows, folder, started, log_json, quiet, as_json)
