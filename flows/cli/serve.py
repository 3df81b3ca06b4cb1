"""``stylebatch serve``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from stylebatch.flows.cli.options import AllowHttpOption, ManifestArgument, NotifyOption, OutOption, VerboseOption
from stylebatch.flows.cli.set_option import SetOption
from stylebatch.flows.cli.terminal import clear_errors, out_console
from stylebatch.flows.interrupt import Interrupt
from stylebatch.flows.prefect_server import configure
from stylebatch.flows.text import escape
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.settings import parse_assignments
from stylebatch.tasks.storage.places import Place

EXAMPLE = 'Example: [bold]stylebatch serve manifests/demo.yaml --cron "0 3 * * *"[/]'


def serve(
    manifest: ManifestArgument,
    cron: Annotated[str | None, typer.Option(help="When, as in a crontab, in UTC.")] = None,
    interval: Annotated[float | None, typer.Option(min=1, help="Seconds between two starts, instead.")] = None,
    out: OutOption = None,
    set_: SetOption = None,
    allow_http: AllowHttpOption = False,
    fail_from: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of failed rows from which on a run ends as failed in Prefect; with 0, one is enough.",
        ),
    ] = 0.0,
    notify: NotifyOption = "",
    verbose: VerboseOption = False,
) -> None:
    """Carry out a manifest again and again, on a schedule: what is new each time. Needs a Prefect server.

    A run that is due while the last one still goes on is left out. Each prints a line at its end. Ctrl-C ends it.
    """
    configure(verbose)
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        if (cron is None) == (interval is None):
            raise BadRequest('give either --cron "0 3 * * *" or --interval SECONDS')
        if notify:
            from stylebatch.flows.notify import VARIABLE, check_address

            check_address(notify)
            os.environ[VARIABLE] = notify  # for the runs' processes
        from stylebatch.tasks.request.manifest import read_manifest
        from stylebatch.tasks.runs.target import refuse_others_folder

        read_manifest(manifest, allow_http)
        folder: Place = out or Path("outputs") / manifest.stem
        refuse_others_folder(folder)
        from stylebatch.flows.schedule import serve

        text = f"serving {escape(str(manifest))} into {escape(str(folder))}; Ctrl-C ends it"
        out_console.print(text, highlight=False, soft_wrap=True)
        interrupt = Interrupt()  # Prefect's own end waits for runs that are just starting, sometimes for minutes
        interrupt.install()
        try:
            serve(manifest, folder, overrides, cron, interval, allow_http, fail_from)
        except KeyboardInterrupt:
            interrupt.leave()
