"""What a person sees of a run: a progress bar while it goes on, and what is about to be done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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

from stylebatch.flows.text import duration, escape, named
from stylebatch.tasks.progress import Intention, Pending, Settled, Watcher
from stylebatch.tasks.runs.report import shown
from stylebatch.tasks.storage.files import exists
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.training.files import plot_of, preview_of

if TYPE_CHECKING:  # it imports torch
    from stylebatch.tasks.networks.models import Trained


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

    def __init__(self, console: Console, latest: Callable[[Sequence[Settled]], None] = lambda settled: None) -> None:
        self.progress = _over_steps(console)
        self._latest = latest
        self._task = self.progress.add_task("starting", total=None)
        self._steps: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._rows = 0

    def fetching(self, name: str, done: int, total: int) -> None:
        far = f"{done / total:.0%} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
        self.progress.update(self._task, description=f"downloading {escape(name)}: {far}")

    def checking(self, row: int, rows: int) -> None:
        self.progress.update(self._task, description=f"checking row {row:,} of {rows:,}")

    def looking_up(self, row: int, rows: int) -> None:
        self.progress.update(self._task, description=f"looking for what is done: row {row:,} of {rows:,}")

    def settling(self, row: int, rows: int) -> None:
        self.progress.update(self._task, description=f"putting pictures in place: row {row:,} of {rows:,}")

    def damaged(self, ids: Sequence[str]) -> None:
        if ids:
            text = f"[yellow]damaged[/] records of {escape(named(ids))}; they are computed again"
            self.progress.console.print(text, highlight=False, soft_wrap=True)

    def intended(self, plan: Intention) -> None:
        print_plan(self.progress.console, plan)

    def training(self, step: int, steps: int, loss: float, judged: Mapping[str, float]) -> None:
        text = f"training a network, {step}/{steps}: {_training(loss, judged)}"
        self.progress.update(self._task, description=text)

    def chose(self, decisions: Sequence[str]) -> None:
        for text in decisions:
            self.progress.console.print(f"[cyan]engine[/] {escape(text)}", highlight=False, soft_wrap=True)

    def planned(self, jobs: Sequence[Pending], settled: Sequence[Settled]) -> None:
        self._rows = len(jobs) + len(settled)
        self._count(settled)
        self.progress.update(self._task, total=sum(map(_steps, jobs)))

    def retried(self, job: Pending) -> None:
        total = self.progress.tasks[self._task].total or 0
        self.progress.update(self._task, total=total + _steps(job))

    def stepped(self, job: Pending) -> None:
        if self._steps[job.key] < _steps(job):  # a second attempt begins anew, but the bar never goes back
            self._steps[job.key] += 1
            self.progress.advance(self._task)

    def finished(self, job: Pending, settled: Sequence[Settled]) -> None:
        self.progress.advance(self._task, _steps(job) - self._steps.pop(job.key, 0))
        self._count(settled)
        self._latest(settled)

    def _count(self, settled: Sequence[Settled]) -> None:
        self._counts.update(outcome.status for outcome in settled)
        done = f"{sum(self._counts.values())}/{self._rows} rows"
        self.progress.update(self._task, description=f"{done}, {self._counts['failed']} failed")


class Lines(Bar):
    """The same without a terminal: a line a minute, or as ``every`` says in seconds."""

    def __init__(
        self, console: Console, latest: Callable[[Sequence[Settled]], None] = lambda settled: None, every: float = 60.0
    ) -> None:
        super().__init__(console, latest)
        self._every = every
        self._said = time.monotonic()

    def stepped(self, job: Pending) -> None:
        super().stepped(job)
        self._say()

    def finished(self, job: Pending, settled: Sequence[Settled]) -> None:
        super().finished(job, settled)
        self._say()

    def checking(self, row: int, rows: int) -> None:
        super().checking(row, rows)
        self._say()

    def looking_up(self, row: int, rows: int) -> None:
        super().looking_up(row, rows)
        self._say()

    def settling(self, row: int, rows: int) -> None:
        super().settling(row, rows)
        self._say()

    def training(self, step: int, steps: int, loss: float, judged: Mapping[str, float]) -> None:
        super().training(step, steps, loss, judged)
        self._say()

    def _say(self) -> None:
        if time.monotonic() - self._said < self._every:
            return
        self._said = time.monotonic()
        (task,) = self.progress.tasks
        left = f", about {duration(task.time_remaining)} left" if task.time_remaining else ""
        steps = f", {task.completed:.0f}/{task.total:.0f} steps" if task.total else ""
        text = f"{task.description}{steps}{left}"
        self.progress.console.print(text, highlight=False, soft_wrap=True)


def _training(loss: float, judged: Mapping[str, float]) -> str:
    held_out = ", ".join(f"{name} {value:.2f}" for name, value in judged.items())
    return f"loss {shown(loss)}" + (f"; held out: {held_out}" if held_out else "")


def _steps(job: Pending) -> int:
    """What a bar counts a job as: a picture that takes no step of the optimizer is one step's worth."""
    return max(1, job.steps)


class PartsBar:
    """A progress bar over what a command makes: over the pictures of a gallery, and then over what is judged."""

    def __init__(self, console: Console, command: str) -> None:
        self._command = command
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
            self._tasks[what] = self.progress.add_task(f"{self._command}: {what}", total=total or None)
        self.progress.update(self._tasks[what], completed=done)


class TrainingBar(Watcher):
    """A progress bar over the steps of a training, with the loss, the figures and the time left."""

    def __init__(self, console: Console) -> None:
        self.progress = _over_steps(console)
        self._task = self.progress.add_task("reading pictures", total=None)

    def training(self, step: int, steps: int, loss: float, judged: Mapping[str, float]) -> None:
        description = _training(loss, judged)
        self.progress.update(self._task, completed=step, total=steps, description=description)


def print_trained(console: Console, trained: Trained, out: Place, seconds: float) -> None:
    """What a training has come to, and where the files are."""
    far = f"style distance {trained.style_distance:.2f}"
    if trained.distance is not None:
        far = f"distance to the paintings {trained.distance:.2f} of the photographs' own"
    console.print(
        f"{trained.samples} samples of {trained.contents} pictures; in {trained.held_out} held out: "
        f"structure {trained.structure:.2f}, {far}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"{duration(seconds)} in all; the files:", highlight=False)
    for file in (out, preview_of(out), plot_of(out)):
        if exists(file):
            console.print(f"  {escape(str(file))}", highlight=False, soft_wrap=True)


def print_plan(console: Console, plan: Intention) -> None:
    """Which rows of an earlier run are to be computed, and why."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for reason, ids in plan.reasons.items():
        table.add_row(str(len(ids)), escape(reason), f"[dim]{escape(named(ids))}[/]")
    for number, meaning in (
        (plan.unchanged, "done and unchanged"),
        (plan.left_alone, "not chosen"),
        (plan.gone, "no longer in the manifest"),
    ):
        if number:
            table.add_row(f"[dim]{number}[/]", f"[dim]{meaning}[/]")
    console.print(table)
