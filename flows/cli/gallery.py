"""``stylebatch gallery``."""

from __future__ import annotations

import gc
from contextlib import nullcontext
from typing import Annotated

import typer

from stylebatch.flows.cli.options import AllowHttpOption, AsPlace, QuietOption, VerboseOption, as_place
from stylebatch.flows.cli.terminal import clear_errors, out_console, say_error
from stylebatch.flows.cli.watching import watching_gallery
from stylebatch.flows.prefect_server import configure
from stylebatch.flows.session import Session
from stylebatch.flows.text import escape
from stylebatch.tasks.storage.places import as_parameter

EXAMPLE = "Example: [bold]stylebatch gallery outputs/demo outputs/other --out comparison[/]"


def gallery(
    run_dirs: Annotated[
        list[AsPlace],
        typer.Argument(
            parser=as_place, metavar="RUN_DIR...", help="The folders of one or several runs, by their paths or URLs."
        ),
    ],
    out: Annotated[
        AsPlace | None,
        typer.Option(
            parser=as_place,
            metavar="DIR",
            help="Folder for the gallery, by its path or URL.",
            show_default="RUN_DIR/gallery (RUN_DIR/presentation), or beside the first of several",
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="The page's heading.", show_default="the runs' names")] = "",
    presentation: Annotated[
        bool,
        typer.Option("--presentation", help="For people who choose: no figures, and names as one would write them."),
    ] = False,
    allow_http: AllowHttpOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Write a gallery to compare results by: a folder that opens from disk in any browser and can be sent.

    Exits with 0, or 2 when there is no such run or the folder cannot be written to.
    """
    configure(verbose)
    with clear_errors(verbose):
        from stylebatch.tasks.runs.run_folder import read_runs

        read_runs(run_dirs, allow_http)  # a request that cannot be carried out fails before Prefect's server starts
        session = Session(say_error)
        with session.flows():
            from stylebatch.flows.gallery import gallery

            session.ready()
            with nullcontext() if quiet or verbose else watching_gallery(session):
                page = gallery(
                    [as_parameter(one) for one in run_dirs], out and as_parameter(out), allow_http, title, presentation
                )
    if not quiet:
        out_console.print(escape(str(page)), highlight=False, soft_wrap=True)
    gc.freeze()
