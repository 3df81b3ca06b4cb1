"""What a person sees of a run: a progress bar while it goes on, a summary when it is over."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from stylebatch.flows.text import escape
from stylebatch.tasks.plan.rows import BadRow
from stylebatch.tasks.progress import Intention, Pending, Settled, Watcher
from stylebatch.tasks.runs.causes import Failure, by_cause
from stylebatch.tasks.runs.report import Outcome, count
from stylebatch.tasks.runs.status import RunStatus
from stylebatch.tasks.storage.files import exists
from stylebatch.tasks.storage.places import Place

if TYPE_CHECKING:  # it imports torch
    from stylebatch.tasks.networks.models import Trained

# What a screen has room for; the report has them all.
FAILURES = 10
SLOWEST = 3
NAMED = 5
COLOURS = {"completed": "green", "cached": "blue", "failed": "red"}


class _Rate(ProgressColumn):
    """Steps of the optimizer a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} steps/s" if task.speed else "", style="progress.data.speed")


def _over_steps(console: Console) -> Progress:
    """A progress bar over steps, with their rate and the time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class Bar(Watcher):
    """A progress bar over the steps of all pairs, with the rows done, the rate and the time left."""

    def __init__(self, console: Console) -> None:
        self.progress = _over_steps(console)
        self._task = self.progress.add_task("starting", total=None)
        self._steps: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._rows = 0

    def fetching(self, name: str, done: int, total: int) -> None:
        far = f"{done / total:.0%} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
        self.progress.update(self._task, description=f"downloading {escape(name)}: {far}")

    def damaged(self, ids: Sequence[str]) -> None:
        if ids:
            text = f"[yellow]damaged[/] records of {_named(ids)}; they are computed again"
            self.progress.console.print(text, highlight=False, soft_wrap=True)

    def intended(self, plan: Intention) -> None:
        print_plan(self.progress.console, plan)

    def training(self, step: int, steps: int, loss: float, held_out: float) -> None:
        text = f"training a network, {step}/{steps}: {_training(loss, held_out)}"
        self.progress.update(self._task, description=text)

    def chose(self, decisions: Sequence[str]) -> None:
        for text in decisions:
            self.progress.console.print(f"[cyan]engine[/] {escape(text)}", highlight=False, soft_wrap=True)

    def planned(self, jobs: Sequence[Pending], settled: Sequence[Settled]) -> None:
        self._rows = len(jobs) + len(settled)
        self._count(settled)
        self.progress.update(self._task, total=sum(map(_steps, jobs)))

    def stepped(self, job: Pending) -> None:
        if self._steps[job.key] < _steps(job):  # a second attempt begins anew, but the bar never goes back
            self._steps[job.key] += 1
            self.progress.advance(self._task)

    def finished(self, job: Pending, settled: Sequence[Settled]) -> None:
        self.progress.advance(self._task, _steps(job) - self._steps.pop(job.key, 0))
        self._count(settled)

    def _count(self, settled: Sequence[Settled]) -> None:
        self._counts.update(outcome.status for outcome in settled)
        done = f"{sum(self._counts.values())}/{self._rows} rows"
        self.progress.update(self._task, description=f"{done}, {self._counts['failed']} failed")


def _training(loss: float, held_out: float) -> str:
    return f"loss {loss:,.0f}" + ("" if math.isnan(held_out) else f", held out {held_out:,.0f}")


def _steps(job: Pending) -> int:
    """What a bar counts a job as: a picture that takes no step of the optimizer is one step's worth."""
    return max(1, job.steps)


class GalleryBar:
    """A progress bar over the pictures that are made for a gallery, and then over the results that are judged."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are made; a total of 0 is not known."""
        if what not in self._tasks:
            for task in self._tasks.values():
                self.progress.update(task, visible=False)
            self._tasks[what] = self.progress.add_task(f"gallery: {what}", total=total or None)
        self.progress.update(self._tasks[what], completed=done)


class TrainingBar(Watcher):
    """A progress bar over the steps of a training, with the losses and the time left."""

    def __init__(self, console: Console) -> None:
        self.progress = _over_steps(console)
        self._task = self.progress.add_task("reading pictures", total=None)

    def training(self, step: int, steps: int, loss: float, held_out: float) -> None:
        self.progress.update(self._task, completed=step, total=steps, description=_training(loss, held_out))


def print_trained(console: Console, trained: Trained, out: Place, seconds: float) -> None:
    """What a training has come to, and where the files are."""
    console.print(
        f"{trained.steps} steps over {trained.contents} pictures, {trained.held_out} held out: their loss is "
        f"{trained.total_loss:,.0f}, as after {trained.worth:.0f} steps of the optimizer",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"{_duration(seconds)} in all; the files:", highlight=False)
    for file in (out, out.with_name(f"{out.stem}.preview.png"), out.with_name(f"{out.stem}.losses.svg")):
        if exists(file):
            console.print(f"  {escape(str(file))}", highlight=False, soft_wrap=True)


def print_summary(console: Console, outcomes: Sequence[Outcome], left: int, out: Place, seconds: float) -> None:
    """The counts, the slowest pairs, the failures, and where the files are; ``left`` rows were not tried."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for status, number in count(outcomes).items():
        table.add_row(f"[{COLOURS[status] if number else 'dim'}]{status}[/]", str(number))
    console.print(table)
    fresh = [outcome for outcome in outcomes if outcome.status == "completed" and outcome.record]
    slowest = sorted(fresh, key=lambda outcome: outcome.record.seconds if outcome.record else 0)[-SLOWEST:]
    if slowest:
        named = (f"{escape(one.id)} {one.record.seconds:.1f} s" for one in reversed(slowest) if one.record)
        console.print(f"slowest: {', '.join(named)}")
    failures = [outcome for outcome in outcomes if outcome.status == "failed"]
    by_id = {outcome.id: outcome for outcome in failures}
    causes = by_cause(Failure(one.id, one.error or "", one.content, one.style) for one in failures)
    for cause, ids in islice(causes.items(), FAILURES):
        if len(ids) > 1:
            console.print(f"[red]{len(ids)} rows[/] {escape(cause)}\n  {_named(ids)}", soft_wrap=True)
        else:
            (one,) = (by_id[name] for name in ids)
            console.print(f"[red]row {one.row}[/] {escape(one.id)}: {escape(one.error or '')}", soft_wrap=True)
    if len(causes) > FAILURES:
        console.print(f"… and {len(causes) - FAILURES} more causes, in the report")
    if left:
        console.print(f"[red]stopped[/] after {len(failures)} failures, the last of them above; {left} rows are left")
    console.print(f"{seconds:.1f} s in all; the files:", highlight=False)
    for name in ("images", "grids", "report.parquet", "traces.parquet", "run.json", "gallery/index.html"):
        if exists(out / name):
            console.print(f"  {escape(str(out / name))}", highlight=False, soft_wrap=True)


def print_plan(console: Console, plan: Intention) -> None:
    """Which rows of an earlier run are to be computed, and why."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for reason, ids in plan.reasons.items():
        table.add_row(str(len(ids)), escape(reason), f"[dim]{_named(ids)}[/]")
    for number, meaning in (
        (plan.unchanged, "done and unchanged"),
        (plan.left_alone, "not chosen"),
        (plan.gone, "no longer in the manifest"),
    ):
        if number:
            table.add_row(f"[dim]{number}[/]", f"[dim]{meaning}[/]")
    console.print(table)


def _named(ids: Sequence[str]) -> str:
    return escape(", ".join(ids[:NAMED])) + (f" and {len(ids) - NAMED} more" if len(ids) > NAMED else "")


def print_status(console: Console, status: RunStatus) -> None:
    """State, counts, rate, time left, and the failures by their cause."""
    counts = ", ".join(f"{number} {name}" for name, number in status.counts.items())
    console.print(f"{escape(str(status.folder))}: {status.state}, {_duration(status.elapsed)}", highlight=False)
    console.print(f"{status.rows} rows: {counts}, {status.remaining} to do", highlight=False)
    if status.state == "running" and status.left is not None:
        left = _duration(status.left)
        console.print(f"{status.rate * 60:.1f} rows a minute, about {left} left", highlight=False)
    for cause, names in status.failures.items():
        console.print(f"[red]{len(names)} failed[/] {escape(cause)}\n  {_named(names)}", soft_wrap=True)
    if status.state != "running":
        command = ["stylebatch", "reprocess", str(status.folder)]
        for needed, what, option in (
            (status.failures, "what failed", ["--failed"]),
            (status.remaining, "what failed or is left", []),
        ):
            if needed:
                text = f"to do {what}: {escape(shlex.join([*command, *option]))}"
                console.print(text, highlight=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    """``1:02:03``, or ``2:03`` below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def print_bad_rows(console: Console, rows: int, bad_rows: Sequence[BadRow]) -> None:
    """Every bad row: its number, the column, what is wrong."""
    if bad_rows:
        table = Table("row", "id", "column", box=None, header_style="bold")
        table.add_column("what is wrong", overflow="fold")
        for bad in bad_rows:
            for column, problem in bad.problems:
                table.add_row(str(bad.row), escape(bad.id), column, escape(problem))
        console.print(table)
    console.print(f"{rows} rows: {rows - len(bad_rows)} good, {len(bad_rows)} bad")


def print_downloads(console: Console, downloads: Sequence[tuple[str, Path]]) -> None:
    """What a run would download, and where it would be kept."""
    for address, file in downloads:
        text = f"a run downloads {address} into {file.parent}, unless weights name a file of your own"
        console.print(escape(text), highlight=False, soft_wrap=True)
