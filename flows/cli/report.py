"""``stylebatch report``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from stylebatch.flows.cli.options import JsonOption, RunDirArgument, VerboseOption
from stylebatch.flows.cli.terminal import clear_errors, out_console
from stylebatch.flows.text import escape
from stylebatch.tasks.storage.places import Place

if TYPE_CHECKING:  # it imports pyarrow
    from stylebatch.tasks.gallery.summary import Summary

EXAMPLE = "Example: [bold]stylebatch report outputs/demo --by style[/]"


def report(
    run_dir: RunDirArgument,
    by: Annotated[str, typer.Option(metavar="COLUMN", help="A column of the report, or a setting.")] = "style",
    mlflow: Annotated[
        str,
        typer.Option(metavar="URI", help="Also log the run there, with its curve and grids (extra: mlflow)."),
    ] = "",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Tell what a run's pictures are worth by style, by a setting or by another column: means, and a plot.

    The plot goes into the run's folder, as by-COLUMN.svg. Exits with 0, or 2 when there is no such run or column.
    """
    with clear_errors(verbose):
        from stylebatch.tasks.gallery.summary import NUMBERS, summarize
        from stylebatch.tasks.gallery.summary_plot import draw_summary

        summary = summarize(run_dir, by)
        plot = draw_summary(summary, run_dir)
        logged = _log(run_dir, summary, mlflow) if mlflow else None
    if as_json:
        groups = [
            {by: group.value, "count": group.count, **{name: group.mean(name) for name in NUMBERS}}
            for group in summary.groups
        ]
        told = {"groups": groups, "failed": summary.failed, "apart": summary.apart, "plot": str(plot), "mlflow": logged}
        print(json.dumps(told))
    else:
        _print(out_console, summary)
        out_console.print(escape(str(plot)), highlight=False, soft_wrap=True)
        if logged:
            out_console.print(f"MLflow has it as {logged}", highlight=False)


def _log(run_dir: Place, summary: Summary, server: str) -> str:
    from stylebatch.tasks.export.tracker import log_run

    return log_run(run_dir, summary, server)


def _print(console: Console, summary: Summary) -> None:
    """A line a value, and what is to be known of the means."""
    from stylebatch.tasks.gallery.summary import NUMBERS
    from stylebatch.tasks.runs.report import shown

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(summary.by, overflow="fold")
    for name in ("count", *NUMBERS):
        table.add_column(name, justify="right")
    for group in summary.groups:
        means = [group.mean(name) for name in NUMBERS]
        table.add_row(escape(group.value), str(group.count), *("–" if one is None else shown(one) for one in means))
    console.print(table)
    if summary.failed:
        console.print(f"{summary.failed} failed rows are in no group", highlight=False)
    for name, differing in summary.apart.items():
        console.print(f"{name} of different {', '.join(differing)} does not compare", highlight=False)
