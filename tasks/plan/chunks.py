"""Chunks: batches that one worker is handed at once, as many as it paints in some seconds, or one to be optimized."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from functools import cached_property

from stylebatch.tasks.plan.jobs import Job

AIM = 20.0  # seconds that a chunk is to take: little to lose, and much more than it costs to hand it out
FIRST = 16  # rows, as long as nobody knows how quick they are
FASTER = 4  # times as many rows as in the largest chunk so far, at most
MOST = 4096  # rows


class Chunk:
    """Jobs of a chunk, in the batches that they are painted in, or in the one that is optimized in company.

    Neither a list nor a dataclass: Prefect would look for futures in every field of every job.
    """

    def __init__(self, batches: Sequence[Sequence[Job]]) -> None:
        self.batches = batches

    @property
    def jobs(self) -> list[Job]:
        """All of them, in the batches' order."""
        return [job for batch in self.batches for job in batch]

    @cached_property
    def name(self) -> str:
        """The same for the same keys, 64 hexadecimal digits."""
        return hashlib.sha256("".join(job.key for job in self.jobs).encode()).hexdigest()

    @property
    def title(self) -> str:
        """For people."""
        more = len(self.jobs) - 1
        how = "in one pass" if self.painted_only else "in company"
        return f"{self.batches[0][0].id}{f' and {more} more' if more else ''}, {how}"

    @property
    def painted_only(self) -> bool:
        """Whether a pass through the network is all that its jobs ask for."""
        return self.batches[0][0].painted_only


class Pace:
    """How many rows a chunk has, by how quick those before it were."""

    def __init__(self) -> None:
        self._rows = FIRST

    def take(self, waiting: deque[Sequence[Job]], workers: int) -> Chunk:
        """The next chunk, off the front of the batches that wait: one that is optimized, or several that are painted.

        Args:
            workers: among whom what is left is shared out, so that they end at about the same time.
        """
        left = sum(map(len, waiting)) if len(waiting) <= MOST else MOST * workers
        rows = min(self._rows, left // workers)
        batches: list[Sequence[Job]] = [waiting.popleft()]
        if not batches[0][0].painted_only:
            return Chunk(batches)
        taken = len(batches[0])
        while waiting and waiting[0][0].painted_only and taken + len(waiting[0]) <= rows:
            batches.append(waiting.popleft())
            taken += len(batches[-1])
        return Chunk(batches)

    def ended(self, rows: int, seconds: float) -> None:
        """So many rows of a chunk have taken this long."""
        fitting = AIM * rows / max(seconds, 1e-3)
        self._rows = int(min(max(fitting, 1), FASTER * self._rows, MOST))
