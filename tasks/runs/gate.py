"""What is kept of a row that has a condition: the first of its pictures that fulfils it, or the one that is nearest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.request.keep import nearest, passes
from stylebatch.tasks.results.record import Record


@dataclass(frozen=True, slots=True)
class Kept:
    """The job of a row whose picture is the row's.

    Attributes:
        tries: how many of the row's jobs were looked at; none where it has no condition.
        passed: whether the picture fulfils the condition; none in the same case.
    """

    job: Job
    record: Record
    tries: int | None = None
    passed: bool | None = None


def keys_of(job: Job) -> Iterator[str]:
    """The keys of all pictures that may become a row's."""
    yield job.key
    yield from (other.key for other in job.others)


def decide(job: Job, found: Mapping[str, Record]) -> Kept | Job:
    """What is kept of a row, or which of its jobs is to be done before that can be told.

    Args:
        job: the first of the row's.
        found: records by their keys.
    """
    if not job.keep:
        return Kept(job, found[job.key]) if job.key in found else job
    records: list[Record] = []
    jobs = (job, *job.others)
    for tried in jobs:
        if tried.key not in found:
            return tried
        records.append(found[tried.key])
        if passes(job.keep, _figures(tried, records[-1])):
            return Kept(tried, records[-1], len(records), passed=True)
    best = nearest(job.keep, [_figures(tried, record) for tried, record in zip(jobs, records, strict=True)])
    return Kept(jobs[best], records[best], len(records), passed=False)


def _figures(job: Job, record: Record) -> dict[str, Any]:
    """What the report's row would say of a picture."""
    by_layer = {f"style_loss_{layer}": loss for layer, loss in record.style_loss_by_layer.items()}
    named = {"content": job.content_name, "style": job.style_name, "content_lost": record.content_lost}
    return vars(record) | by_layer | named
