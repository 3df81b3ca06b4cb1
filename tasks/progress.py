"""How far a run is, and whether it is to stop. Both travel by context, so that no step has to hand them on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Protocol, TypeVar

T = TypeVar("T")
TOLD_EVERY = 2000  # rows, some twentieth of a second


class Pending(Protocol):
    """A picture that is to be made, as far as a watcher is told of it."""

    @property
    def key(self) -> str:
        """The picture's own."""

    @property
    def steps(self) -> int:
        """Of the optimizer; none where a network paints alone."""


class Settled(Protocol):
    """A row of which it is known what became of it, as far as all watchers are told."""

    @property
    def status(self) -> str:
        """``completed``, ``cached`` or ``failed``."""

    @property
    def record(self) -> object:
        """What is known of its picture; ``None`` where there is none."""

    @property
    def attempts(self) -> int | None:
        """To make a picture that failed."""

    @property
    def output(self) -> str | None:
        """The picture, relative to the run's folder."""


class Intention(Protocol):
    """What is to be done with an earlier run."""

    @property
    def reasons(self) -> Mapping[str, Sequence[str]]:
        """The ids of the rows that are to be computed, by the reason why."""

    @property
    def unchanged(self) -> int:
        """Rows whose results are there already."""

    @property
    def left_alone(self) -> int:
        """Rows that were not chosen."""

    @property
    def gone(self) -> int:
        """Rows that the manifest does not have any more."""


class Watcher:
    """Called as a run goes on; this one looks away."""

    def fetching(self, name: str, done: int, total: int) -> None:
        """Of the file ``name``, ``done`` bytes of ``total`` are downloaded; a total of 0 is not known."""

    def checking(self, row: int, rows: int) -> None:
        """The rows of a manifest are checked, up to this one. Called every few thousand rows, as the next two."""

    def looking_up(self, row: int, rows: int) -> None:
        """The keys of the rows are made, up to this one, by which it is found what is done."""

    def settling(self, row: int, rows: int) -> None:
        """The rows that are done have their pictures in place, up to this one."""

    def damaged(self, ids: Sequence[str]) -> None:
        """The records of these rows are there and cannot be used; they are computed again."""

    def intended(self, plan: Intention) -> None:
        """An earlier run is about to be carried out again, in this way."""

    def training(self, step: int, steps: int, loss: float, judged: Mapping[str, float]) -> None:
        """A network's training is at this step; the typical loss of late, and the last validation's figures by name."""

    def chose(self, decisions: Sequence[str]) -> None:
        """Which engine was taken for each style that left it open, and why."""

    def planned(self, jobs: Sequence[Pending], settled: Sequence[Settled]) -> None:
        """``jobs`` are to be stylized; the rows in ``settled`` are cached or bad already."""

    def retried(self, job: Pending) -> None:
        """``job`` is to be stylized as well: what a row had in its place does not fulfil the row's condition."""

    def stepped(self, job: Pending) -> None:
        """The optimizer went one step further with ``job``. Called from the threads that compute."""

    def finished(self, job: Pending, settled: Sequence[Settled]) -> None:
        """``job`` has ended, and with it the rows in ``settled``, which ask for the same picture."""


def telling(items: Sequence[T], tell: Callable[[int, int], None]) -> Iterator[T]:
    """Gives the items one after another, and tells from time to time which of how many it has come to."""
    for number, item in enumerate(items, start=1):
        if number % TOLD_EVERY == 0:
            tell(number, len(items))
        yield item


class Stopped(Exception):
    """The run was told to stop while a pair was being computed."""


def watching() -> Watcher:
    """The watcher of this context. Flows ask here: what a flow itself names has to be pickled for a cluster."""
    return watcher.get()


watcher: ContextVar[Watcher] = ContextVar("watcher", default=Watcher())  # noqa: B039 (it has no state)
# Set when a run is told to stop: what computes looks at it after each step, and goes on no further.
stopping: ContextVar[threading.Event] = ContextVar("stopping", default=threading.Event())  # noqa: B039 (never set)
