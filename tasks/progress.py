"""How far a run is, and whether it is to stop. Both travel by context, so that no step has to hand them on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # jobs download weights, and say so here
    from tasks.jobs import Job
    from tasks.report import Outcome
    from tasks.reprocess import Plan


class Watcher:
    """Called as a run goes on; this one looks away."""

    def fetching(self, name: str, done: int, total: int) -> None:
        """Of the file ``name``, ``done`` bytes of ``total`` are downloaded; a total of 0 is not known."""

    def damaged(self, ids: Sequence[str]) -> None:
        """The records of these rows are there and cannot be used; they are computed again."""

    def intended(self, plan: Plan) -> None:
        """An earlier run is about to be carried out again, in this way."""

    def training(self, step: int, steps: int, loss: float, held_out: float) -> None:
        """A network's training is at this step; the typical loss of late, and the last validation's or NaN."""

    def chose(self, decisions: Sequence[str]) -> None:
        """Which engine was taken for each style that left it open, and why."""

    def planned(self, jobs: Sequence[Job], settled: Sequence[Outcome]) -> None:
        """``jobs`` are to be stylized; the rows in ``settled`` are cached or bad already."""

    def stepped(self, job: Job) -> None:
        """The optimizer went one step further with ``job``. Called from the threads that compute."""

    def finished(self, job: Job, settled: Sequence[Outcome]) -> None:
        """``job`` has ended, and with it the rows in ``settled``, which ask for the same picture."""


class Stopped(Exception):
    """The run was told to stop while a pair was being computed."""


def watching() -> Watcher:
    """The watcher of this context. Flows ask here: what a flow itself names has to be pickled for a cluster."""
    return watcher.get()


watcher: ContextVar[Watcher] = ContextVar("watcher", default=Watcher())  # noqa: B039 (it has no state)
# Set when a run is told to stop: what computes looks at it after each step, and goes on no further.
stopping: ContextVar[threading.Event] = ContextVar("stopping", default=threading.Event())  # noqa: B039 (never set)
