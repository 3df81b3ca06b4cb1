"""``stylebatch check``."""

from __future__ import annotations

import json

import typer

from stylebatch.flows.cli.options import AllowHttpOption, JsonOption, ManifestArgument, SetOption, VerboseOption
from stylebatch.flows.cli.terminal import clear_errors, out_console
from stylebatch.tasks.request.settings import parse_assignments

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
        from stylebatch.tasks.networks.weights import missing_downloads
        from stylebatch.tasks.plan.rows import check_rows
        from stylebatch.tasks.request.manifest import read_manifest

        asked = read_manifest(manifest, allow_http)
        pairs, bad_rows = check_rows(asked, overrides, decode=True)
        downloads = missing_downloads(pair.settings for pair in pairs)
    if as_json:
        listed = [
            {"row": bad.row, "id": bad.id, "column": column, "error": problem}
            for bad in bad_rows
            for column, problem in bad.problems
        ]
        named = [{"url": address, "file": str(file)} for address, file in downloads]
        print(json.dumps({"rows": len(asked.rows), "bad": len(bad_rows), "problems": listed, "downloads": named}))
    else:
        from stylebatch.flows.screen import print_bad_rows, print_downloads

        print_bad_rows(out_console, len(asked.rows), bad_rows)
        print_downloads(out_console, downloads)
    raise typer.Exit(2 if bad_rows else 0)
