"""What a run has before it: the rows to be looked at, and those of which nothing is to be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.runs.report import Outcome


@dataclass(frozen=True)
class Work:
    """A manifest's rows, by what is to become of them.

    Attributes:
        jobs: the good rows that are asked for.
        known: the records that the store has of them, by key.
        settled: the other rows: bad ones, and those that are left as they are.
    """

    jobs: Sequence[Job]
    known: Mapping[str, Record]
    settled: Sequence[Outcome]
