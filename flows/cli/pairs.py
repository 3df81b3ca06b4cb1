"""``stylebatch pairs``."""

from __future__ import annotations

from typing import Annotated

import typer

from stylebatch.flows.cli.options import (
    AllowHttpOption,
    AsPlace,
    ManifestArgument,
    QuietOption,
    VerboseOption,
    as_place,
)
from stylebatch.flows.cli.terminal import clear_errors, out_console
from stylebatch.flows.text import escape

EXAMPLE = "Example: [bold]stylebatch pairs my.yaml --out pairs.parquet[/]"


def pairs(
    manifest: ManifestArgument,
    out: Annotated[
        AsPlace, typer.Option(parser=as_place, metavar="FILE", help="The Parquet file to write, by its path or URL.")
    ],
    allow_http: AllowHttpOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Write a manifest's rows as a manifest: its globs, products and drawn styles, as a run would take them now.

    Exits with 0, or 2 when the manifest cannot be read or the file not be written.
    """
    with clear_errors(verbose):
        from stylebatch.tasks.request.manifest import read_manifest
        from stylebatch.tasks.request.rows_file import write_rows

        asked = read_manifest(manifest, allow_http)
        write_rows(asked, out)
    if not quiet:
        out_console.print(f"{len(asked.rows)} rows: {escape(str(out))}", highlight=False, soft_wrap=True)
