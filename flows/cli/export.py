"""``stylebatch export``."""

from __future__ import annotations

import gc
import json
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stylebatch.flows.cli.options import AsPlace, JsonOption, QuietOption, RunDirArgument, VerboseOption, as_place
from stylebatch.flows.cli.terminal import clear_errors, error_console, out_console, say_error
from stylebatch.flows.session import Session
from stylebatch.flows.text import escape, named
from stylebatch.tasks.storage.places import Place

if TYPE_CHECKING:  # it imports pyarrow
    from stylebatch.tasks.export.export import Exported

EXAMPLE = "Example: [bold]stylebatch export outputs/my --as imagefolder --out datasets/my[/]"


def export(
    run_dir: RunDirArgument,
    form: Annotated[
        Literal["imagefolder", "webdataset", "parquet"],
        typer.Option("--as", help="A folder a class; tar shards; or Parquet with the pictures' bytes."),
    ],
    out: Annotated[
        AsPlace,
        typer.Option(parser=as_place, metavar="DIR", help="Folder for the data set, by its path or URL."),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let an earlier export in the folder give way.")
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Write a finished run as a data set that training code reads, with labels, figures and where each is from.

    The data set is there as a whole, or not at all. Exits with 0, with 1 when pictures of the run are gone or changed
    and so left out, and with 2 when there is no such run, or the folder has other things in it.
    """
    with clear_errors(verbose), Session(say_error, _say_stopped).signals():
        from stylebatch.flows.screen import PartsBar
        from stylebatch.tasks.export.export import export

        bar = None if quiet or as_json else PartsBar(error_console, "export")
        with bar.progress if bar else nullcontext():
            told = partial(bar, "pictures") if bar else None
            exported = export(run_dir, form, out, overwrite, told)
    if as_json:
        print(json.dumps({**asdict(exported), "as": form, "out": str(out)}))
    elif not quiet:
        _print(exported, out)
    gc.freeze()  # or the interpreter would spend a while on taking torch apart, which comes with `webdataset`
    raise typer.Exit(1 if exported.unusable else 0)


def _say_stopped() -> None:
    error_console.print("\nStopped. There is no data set yet; the same command begins anew.", soft_wrap=True)


def _print(exported: Exported, out: Place) -> None:
    """What the data set has, and what it lacks."""
    lines = [f"{exported.pictures} pictures, {len(exported.labels)} labels"]
    if exported.failed:
        lines += [f"left out, since they failed: {len(exported.failed)}", f"  {escape(named(exported.failed))}"]
    if exported.left:
        lines.append(f"left out, since the run did not come to them: {exported.left}")
    if exported.unusable:
        name, reason = next(iter(exported.unusable.items()))
        others = len(exported.unusable) - 1
        more = f", and {others} more" if others else ""
        lines.append(f"[red]left out[/], since they are not as the run has written them: {others + 1}")
        lines.append(f"  {escape(name)} {reason}{more}")
    for line in (*lines, escape(str(out))):
        out_console.print(line, highlight=False, soft_wrap=True)
