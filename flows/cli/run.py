"""``stylebatch run``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

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
    NotifyOption,
    OptionalManifestArgument,
    OutOption,
    QuietOption,
    RunnerOption,
    TraceOption,
    VerboseOption,
)
from stylebatch.flows.cli.set_option import SetOption
from stylebatch.flows.cli.telling import tell, telling_of_errors
from stylebatch.flows.cli.terminal import clear_errors, say_error
from stylebatch.flows.cli.watching import say_how_to_go_on, watching, watching_gallery
from stylebatch.flows.cli.without_manifest import ContentsOption, SaveOption, StylesOption, as_manifest
from stylebatch.flows.prefect_server import configure, is_named
from stylebatch.flows.session import Session
from stylebatch.tasks.request.settings import parse_assignments
from stylebatch.tasks.storage.places import Place, as_parameter

if TYPE_CHECKING:
    from stylebatch.flows.preparation import Prepared

EXAMPLE = "Example: [bold]stylebatch run manifests/demo.yaml --set size=512 --set steps=200[/]"


def run(
    manifest: OptionalManifestArgument = None,
    contents: ContentsOption = None,
    styles: StylesOption = None,
    save: SaveOption = None,
    out: OutOption = None,
    set_: SetOption = None,
    refresh: Annotated[bool, typer.Option(help="Stylize every pair again, also those that are done.")] = False,
    first: Annotated[
        int | None, typer.Option(min=1, help="Only so many of the rows, to see them; a run for all has them then.")
    ] = None,
    max_failures: MaxFailuresOption = None,
    fail_fast: FailFastOption = False,
    trace: TraceOption = False,
    grids: GridsOption = True,
    devices: DevicesOption = "auto",
    runner: RunnerOption = "threads",
    address: AddressOption = "",
    allow_http: AllowHttpOption = False,
    with_gallery: Annotated[
        bool, typer.Option("--gallery", help="Write a gallery of the run when it is over; implies --trace.")
    ] = False,
    sheet: Annotated[
        bool,
        typer.Option("--sheet", help="Draw a page for each photograph with all of its styles, for a screen and paper."),
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show the newest picture in the terminal, if that has Sixel or is Kitty.")
    ] = False,
    notify: NotifyOption = "",
    log_json: LogJsonOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Stylize every pair of a manifest, or every photograph in every style. What is done is not done again.

    Exits with 0 when all rows are done, 1 when some failed, 2 when nothing could be done.
    """
    configure(verbose)
    started = time.perf_counter()
    with clear_errors(verbose):
        given = parse_assignments(set_ or [])
        if notify:
            from stylebatch.flows.notify import check_address

            check_address(notify)
        source, folder, overrides = as_manifest(manifest, contents or [], styles or [], given, save, out)
        session = Session(say_error, lambda: say_how_to_go_on(folder))
        with session.signals(), telling_of_errors(notify, folder):
            with watching(session, log_json, quiet or as_json or verbose, folder, show):
                from stylebatch.tasks.request.manifest import read_manifest
                from stylebatch.tasks.runs.target import refuse_others_folder

                # A request that cannot be carried out fails here, before Prefect's server starts.
                rows = len(read_manifest(source, allow_http).rows[:first])
                refuse_others_folder(folder)
                needs_flow = refresh or with_gallery or runner != "threads" or is_named()
                prepared = None if needs_flow else _prepare(source, folder, overrides, devices, allow_http, first)
                if prepared and prepared.is_done:
                    from stylebatch.flows.cached import carry_out_cached

                    outcomes = carry_out_cached(prepared, trace, allow_http, grids)
                else:
                    session.start()
                    from stylebatch.flows.preparation import handing_over
                    from stylebatch.flows.stylize import stylize

                    session.ready(runner, address)
                    limit = 1 if fail_fast else max_failures
                    traced = trace or with_gallery
                    with handing_over(prepared):
                        outcomes = stylize(
                            as_parameter(source),
                            as_parameter(folder),
                            overrides,
                            refresh,
                            limit,
                            traced,
                            devices,
                            runner,
                            address,
                            allow_http,
                            grids,
                            first=first,
                        )
            if sheet:
                from stylebatch.tasks.gallery.contact_sheet import write_sheets

                write_sheets(outcomes, source.parent, folder, allow_http)
            if with_gallery:
                from stylebatch.flows.gallery import gallery

                with nullcontext() if quiet or as_json or log_json or verbose else watching_gallery(session):
                    gallery([as_parameter(folder)], None, allow_http)
    tell(notify, outcomes, rows, folder)
    end(outcomes, rows, folder, started, log_json, quiet, as_json)


def _prepare(
    manifest: Place, folder: Place, overrides: Mapping[str, str], devices: str, allow_http: bool, first: int | None
) -> Prepared | None:
    """What can be prepared before Prefect is there; nothing for a folder in which there is no run yet."""
    from stylebatch.tasks.storage.files import exists

    if not exists(folder / "report.parquet"):
        return None
    from stylebatch.flows.cached import prepare_here

    return prepare_here(manifest, folder, overrides, devices, allow_http, first)
