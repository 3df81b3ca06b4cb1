"""The leases: a slot is given to one pair at a time, and only while that pair computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

import torch

from stylebatch.tasks.devices.slots import Slot, available_devices, usable_cores


class Leases(Protocol):
    """Where a pair gets its slot from."""

    def lease(self) -> AbstractContextManager[Slot]:
        """Wait for a slot, and have it to oneself within the context."""


class Pool:
    """The slots of this process, shared by its threads."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._free: SimpleQueue[Slot] = SimpleQueue()
        for slot in slots:
            self._free.put(slot)

    @contextmanager
    def lease(self) -> Iterator[Slot]:
        """See `Leases`."""
        slot = self._free.get()
        try:
            _take(slot)
            yield slot
        finally:
            self._free.put(slot)


@dataclass(frozen=True)
class WorkersOwn:
    """The device of whichever process asks: a worker of a cluster, which is given one pair at a time.

    Attributes:
        share: of its machine, that the worker has.
        threads: of the processor; without them, the worker's share of the cores.
    """

    share: float = 1.0
    threads: int | None = None

    @contextmanager
    def lease(self) -> Iterator[Slot]:
        """See `Leases`."""
        threads = self.threads or max(1, int(self.share * usable_cores()))
        slot = Slot(available_devices()[0], threads, self.share)
        _take(slot)
        yield slot


def _take(slot: Slot) -> None:
    if slot.threads:
        torch.set_num_threads(slot.threads)  # of this thread, and not of the process
    if torch.device(slot.device).type == "cuda":
        # What is called float32, as all judging is, is no TF32; and the same is done in the same way each time.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
