"""The end of a run: what became of it is printed, and the command exits with what that comes to."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from stylebatch.flows.cli.terminal import out_console
from stylebatch.flows.text import escape, far_warning_of, named, warning_of
from stylebatch.tasks.storage.files import exists
from stylebatch.tasks.storage.places import Place

if TYPE_CHECKING:
    from stylebatch.tasks.runs.report import Outcome, Outcomes

# What a screen has room for; the report has them all.
FAILURES = 10
SLOWEST = 3
COLOURS = {"completed": "green", "cached": "blue", "failed": "red"}


def end(
    outcomes: Outcomes, rows: int, folder: Place, started: float, log_json: bool, quiet: bool, as_json: bool
) -> NoReturn:
    """Print what became of a run, and exit with what that comes to."""
    from stylebatch.tasks.runs.report import content_lost, count

    left = rows - len(outcomes)
    counts = {str(name): number for name, number in count(outcomes).items()}
    told = {**counts, "content_lost": len(content_lost(outcomes)), "left": left, "out": str(folder)}
    if log_json:
        from stylebatch.flows.json_log import JsonLog

        JsonLog(sys.stderr).ended(told)
    if as_json:
        failures = [{"row": one.row, "id": one.id, "error": one.error} for one in outcomes if one.status == "failed"]
        print(json.dumps({**told, "failures": failures}))
    elif not quiet and not log_json:
        _print(out_console, outcomes, counts, left, folder, time.perf_counter() - started)
    gc.freeze()  # or the interpreter would spend a second on taking torch and Prefect apart
    raise typer.Exit(1 if left or any(outcome.status == "failed" for outcome in outcomes) else 0)


def _print(
    console: Console, outcomes: Sequence[Outcome], counts: Mapping[str, int], left: int, out: Place, seconds: float
) -> None:
    """The counts, the slowest pairs, the failures, and where the files are; ``left`` rows were not tried."""
    from stylebatch.tasks.runs.causes import Failure, by_cause
    from stylebatch.tasks.runs.report import content_lost, far_from_training, not_passed

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for status, number in counts.items():
        table.add_row(f"[{COLOURS[status] if number else 'dim'}]{status}[/]", str(number))
    console.print(table)
    fresh = [outcome for outcome in outcomes if outcome.status == "completed" and outcome.record]
    slowest = sorted(fresh, key=lambda outcome: outcome.record.seconds if outcome.record else 0)[-SLOWEST:]
    if slowest:
        times = (f"{escape(one.id)} {one.record.seconds:.1f} s" for one in reversed(slowest) if one.record)
        console.print(f"slowest: {', '.join(times)}")
    failures = [outcome for outcome in outcomes if outcome.status == "failed"]
    by_id = {outcome.id: outcome for outcome in failures}
    causes = by_cause(Failure(one.id, one.error or "", one.content, one.style) for one in failures)
    for cause, ids in islice(causes.items(), FAILURES):
        if len(ids) > 1:
            console.print(f"[red]{len(ids)} rows[/] {escape(cause)}\n  {escape(named(ids))}", soft_wrap=True)
        else:
            (one,) = (by_id[name] for name in ids)
            console.print(f"[red]row {one.row}[/] {escape(one.id)}: {escape(one.error or '')}", soft_wrap=True)
    if len(causes) > FAILURES:
        console.print(f"… and {len(causes) - FAILURES} more causes, in the report")
    if unjudged := sum(outcome.record is not None and outcome.record.total_loss is None for outcome in outcomes):
        console.print(f"{unjudged} pictures have no losses and figures, as `judge` asks", highlight=False)
    if short := not_passed(outcomes):
        who = "1 picture does" if len(short) == 1 else f"{len(short)} pictures do"
        text = f"{who} not fulfil `keep` in any style that was tried; the nearest is kept: {named(short)}"
        console.print(f"[yellow]warning[/] {escape(text)}", highlight=False, soft_wrap=True)
    if lost := content_lost(outcomes):
        console.print(f"[yellow]warning[/] {escape(warning_of(lost))}", highlight=False, soft_wrap=True)
    if far := far_from_training(outcomes):
        console.print(f"[yellow]warning[/] {escape(far_warning_of(far))}", highlight=False, soft_wrap=True)
    if left:
        console.print(f"[red]stopped[/] after {len(failures)} failures, the last of them above; {left} rows are left")
    console.print(f"{seconds:.1f} s in all; the files:", highlight=False)
    for name in (
        "images",
        "grids",
        "grids/sheets.pdf",
        "report.parquet",
        "traces.parquet",
        "run.json",
        "gallery/index.html",
    ):
        if exists(out / name):
            console.print(f"  {escape(str(out / name))}", highlight=False, soft_wrap=True)
