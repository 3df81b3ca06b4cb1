"""``stylebatch check``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from stylebatch.flows.cli.options import (
    AllowHttpOption,
    DevicesOption,
    JsonOption,
    ManifestArgument,
    OutOption,
    VerboseOption,
)
from stylebatch.flows.cli.set_option import SetOption
from stylebatch.flows.cli.terminal import clear_errors, error_console, out_console
from stylebatch.flows.text import duration, escape
from stylebatch.tasks.progress import Watcher, watcher
from stylebatch.tasks.request.settings import parse_assignments

if TYPE_CHECKING:  # they import Pillow and torch
    from stylebatch.tasks.again.outlook import Outlook
    from stylebatch.tasks.plan.rows import BadRow

EXAMPLE = "Example: [bold]stylebatch check manifests/demo.yaml[/]"


def check(
    manifest: ManifestArgument,
    set_: SetOption = None,
    time: Annotated[
        bool,
        typer.Option("--time", help="Also tell what is done in the run's folder, and try how long the rest takes."),
    ] = False,
    out: OutOption = None,
    devices: DevicesOption = "auto",
    allow_http: AllowHttpOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Check every row of a manifest and write nothing: settings, ids, and that its files can be read.

    Exits with 0 when all rows are good, 2 when some are bad.
    """
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        with error_console.status("reading the manifest") as status, _telling(status):
            # Within, for something is to be seen before all is imported.
            from stylebatch.tasks.networks.model_check import far_from_training
            from stylebatch.tasks.networks.weights import missing_downloads
            from stylebatch.tasks.plan.rows import check_rows
            from stylebatch.tasks.request.manifest import read_manifest

            asked = read_manifest(manifest, allow_http)
            pairs, bad_rows = check_rows(asked, overrides, decode=True)
        downloads = missing_downloads(pair.settings for pair in pairs)
        far = far_from_training((pair.settings for pair in pairs), asked.locate)
        outlook = None
        if time and not downloads:
            from stylebatch.tasks.again.outlook import look_ahead
            from stylebatch.tasks.devices.slots import is_auto, make_slots

            folder = out or Path("outputs") / manifest.stem
            outlook = look_ahead(asked, pairs, folder, make_slots(devices), is_free=is_auto(devices))
    if as_json:
        listed = [
            {"row": bad.row, "id": bad.id, "column": column, "error": problem}
            for bad in bad_rows
            for column, problem in bad.problems
        ]
        named = [{"url": address, "file": str(file)} for address, file in downloads]
        told = {"rows": len(asked.rows), "bad": len(bad_rows), "problems": listed, "downloads": named, "warnings": far}
        print(json.dumps(told | (asdict(outlook) if outlook else {})))
    else:
        _print_bad_rows(out_console, len(asked.rows), bad_rows)
        _print_downloads(out_console, downloads)
        for text in far:
            out_console.print(f"[yellow]warning[/] {escape(text)}", highlight=False, soft_wrap=True)
        if outlook:
            _print_outlook(out_console, outlook)
    raise typer.Exit(2 if bad_rows else 0)


@contextmanager
def _telling(status: Status) -> Iterator[None]:
    """Have the status line tell how far the rows are checked."""

    class Checked(Watcher):
        def checking(self, row: int, rows: int) -> None:
            status.update(f"checking row {row:,} of {rows:,}")

    token = watcher.set(Checked())
    try:
        yield
    finally:
        watcher.reset(token)


def _print_bad_rows(console: Console, rows: int, bad_rows: Sequence[BadRow]) -> None:
    """Every bad row: its number, the column, what is wrong."""
    if bad_rows:
        table = Table("row", "id", "column", box=None, header_style="bold")
        table.add_column("what is wrong", overflow="fold")
        for bad in bad_rows:
            for column, problem in bad.problems:
                table.add_row(str(bad.row), escape(bad.id), column, escape(problem))
        console.print(table)
    console.print(f"{rows} rows: {rows - len(bad_rows)} good, {len(bad_rows)} bad")


def _print_downloads(console: Console, downloads: Sequence[tuple[str, Path]]) -> None:
    """What a run would download, and where it would be kept."""
    for address, file in downloads:
        text = f"a run downloads {address} into {file.parent}, unless weights name a file of your own"
        console.print(escape(text), highlight=False, soft_wrap=True)


def _print_outlook(console: Console, outlook: Outlook) -> None:
    """How many rows are left, and what they take."""
    console.print(f"{outlook.done} rows are done, {outlook.to_do} to do", highlight=False)
    if outlook.to_do:
        time = f"about {duration(outlook.seconds)} (± {outlook.uncertainty:.0%}), as tried here just now"
        console.print(time, highlight=False)
    room = f"up to {outlook.needed / 1e6:,.0f} MB for the pictures"
    if outlook.free is not None:
        room += f"; {outlook.free / 1e6:,.0f} MB are free"
    console.print(room, highlight=False)
    if outlook.free is not None and outlook.needed > outlook.free:
        console.print("[yellow]warning[/] there may not be enough room", highlight=False)
