"""How far a run is, for whoever watches it. Travels by context, so that no step has to hand it on."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar

from tasks.jobs import Job
from tasks.report import Outcome


class Watcher:
    """Called as a run goes on; this one looks away."""

    def planned(self, jobs: Sequence[Job], settled: Sequence[Outcome]) -> None:
        """``jobs`` are to be stylized; the rows in ``settled`` are cached or bad already."""

    def stepped(self, job: Job) -> None:
        """The optimizer went one step further with ``job``. Called from the threads that compute."""

    def finished(self, job: Job, settled: Sequence[Outcome]) -> None:
        """``job`` has ended, and with it the rows in ``settled``, which ask for the same picture."""


watcher: ContextVar[Watcher] = ContextVar("watcher", default=Watcher())  # noqa: B039 (it has no state)
