"""Jobs that one pass through a network does together: of one network and shape, whatever their styles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from stylebatch.tasks.pictures.resize import scaled_size
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.storage.places import Place

# Of all pictures of a batch: eight of 256 x 256. More gain nothing, and would be lost together.
PIXELS = 8 * 256 * 256


def in_batches(jobs: Sequence[Job], sizes: Mapping[Place, tuple[int, int]]) -> list[list[Job]]:
    """The jobs, those that go together in one list; the lists by their first jobs.

    Args:
        sizes: width and height of each content.
    """
    batches: list[list[Job]] = []
    open_: dict[object, list[Job]] = defaultdict(list)
    for job in jobs:
        size = sizes[job.content]
        shape = scaled_size(*size, job.settings.longer_side(size))
        kind = job.model_sha256, job.settings.precision, job.settings.memory_limit, shape
        together = open_[kind] if job.painted_only else []
        if not together or (len(together) + 1) * shape[0] * shape[1] > PIXELS:
            together = []
            open_[kind] = together
            batches.append(together)
        together.append(job)
    return batches
