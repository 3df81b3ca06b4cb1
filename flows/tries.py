"""Which rows wait for a picture, and what becomes of them when it is there: they are settled, or wait for another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from stylebatch.flows.settling import settle, settle_kept
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.runs.gate import Kept, decide
from stylebatch.tasks.runs.report import Outcome
from stylebatch.tasks.runs.work import Work


class Tries:
    """The rows of a run by the pictures that they wait for. Rows with equal keys share one."""

    def __init__(self, work: Work, store: AnyStore) -> None:
        self._store = store
        self._jobs = work.jobs
        self._found = dict(work.known)
        self._firsts = {job.row: job for job in work.jobs if job.keep}  # of rows that may take another style
        self._rows_of: dict[str, list[Job]] = defaultdict(list)

    def undecided(self) -> Iterator[Job]:
        """What is to be done of each row that is not done."""
        return (after for job in self._jobs if isinstance(after := decide(job, self._found), Job))

    def wait_for(self, jobs: Iterable[Job]) -> list[Job]:
        """Those of ``jobs`` whose pictures no row has waited for so far; all of their rows do from now on."""
        new = []
        for job in jobs:
            if job.key not in self._rows_of:
                new.append(job)
            self._rows_of[job.key].append(job)
        return new

    def settle(self, job: Job, result: Record | Exception, attempts: int | None) -> tuple[list[Outcome], list[Job]]:
        """What becomes of the rows that have waited for ``job``, and what is to be done for those that go on."""
        settled: list[Outcome] = []
        next_: list[Job] = []
        for row in self._rows_of.pop(job.key):
            if not row.keep or not isinstance(result, Record):
                settled.append(settle(self._store, row, result, "completed", attempts))
                continue
            self._found[job.key] = result
            after = decide(self._firsts[row.row], self._found)
            if isinstance(after, Kept):
                settled.append(settle_kept(self._store, after, "completed"))
            else:
                next_.append(after)
        return settled, self.wait_for(next_)
