"""``stylebatch check``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from stylebatch.flows.cli.options import AllowHttpOption, JsonOption, ManifestArgument, VerboseOption
from stylebatch.flows.cli.set_option import SetOption
from stylebatch.flows.cli.terminal import clear_errors, out_console
from stylebatch.flows.text import escape
from stylebatch.tasks.request.settings import parse_assignments

if TYPE_CHECKING:  # it imports Pillow
    from stylebatch.tasks.plan.rows import BadRow

EXAMPLE = "Example: [bold]stylebatch check manifests/demo.yaml[/]"


def check(
    manifest: ManifestArgument,
    set_: SetOption = None,
    allow_http: AllowHttpOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Check every row of a manifest and compute nothing: settings, ids, and that its files can be read.

    Exits with 0 when all rows are good, 2 when some are bad.
    """
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        from stylebatch.tasks.networks.model_check import far_from_training
        from stylebatch.tasks.networks.weights import missing_downloads
        from stylebatch.tasks.plan.rows import check_rows
        from stylebatch.tasks.request.manifest import read_manifest

        asked = read_manifest(manifest, allow_http)
        pairs, bad_rows = check_rows(asked, overrides, decode=True)
        downloads = missing_downloads(pair.settings for pair in pairs)
        far = far_from_training((pair.settings for pair in pairs), asked.locate)
    if as_json:
        listed = [
            {"row": bad.row, "id": bad.id, "column": column, "error": problem}
            for bad in bad_rows
            for column, problem in bad.problems
        ]
        named = [{"url": address, "file": str(file)} for address, file in downloads]
        counts = {"rows": len(asked.rows), "bad": len(bad_rows)}
        print(json.dumps({**counts, "problems": listed, "downloads": named, "warnings": far}))
    else:
        _print_bad_rows(out_console, len(asked.rows), bad_rows)
        _print_downloads(out_console, downloads)
        for text in far:
            out_console.print(f"[yellow]warning[/] {escape(text)}", highlight=False, soft_wrap=True)
    raise typer.Exit(2 if bad_rows else 0)


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
