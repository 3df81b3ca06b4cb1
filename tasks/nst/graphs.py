"""Evaluations that are asked for again and again, replayed as a CUDA graph.

A step of small pictures is some hundred kernels, which a GPU carries out in less time than Python takes to launch them.
A search asks for the same evaluation at one point after another. So it is recorded once, and launched as a whole from
then on: the same kernels, and the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from stylebatch.tasks.nst.evaluation import Asked, Evaluation, Found, Seen, evaluate, points_of
from stylebatch.tasks.nst.image import FourierImage
from stylebatch.tasks.nst.losses import Objective

# So many times in a row the same is evaluated before it is recorded. A recording takes about as long as is gained by
# replaying it a few times. Where members of a company end one after another, and it is soon of no use any more, little
# more is lost than would have been gained; of some dozens of steps, which is what a search takes, a few are no matter.
TIMES = 5
# In all pictures of a step. With more, an H200 takes longer to compute than Python to launch, which is then hidden: at
# three times as many the gain was 2 %, and a recording keeps the memory of a step.
PIXELS = 1024 * 1024

# PyTorch records one graph at a time. And a graph uses memory that libraries keep for the stream on which it was
# recorded, for all threads the same: it may not be launched while another thread computes on that stream.
_one_at_a_time = Lock()


class Evaluator:
    """`evaluate` for searches that go on: ``close`` it when they have ended. On a processor it is no more than that.

    It knows one recording, of those that have asked last. Others give up its memory.
    """

    def __init__(self) -> None:
        self._last: list[tuple[Objective, FourierImage]] = []
        self._times = 0  # that they have asked
        self._recording: Recording | None = None
        self._records = True

    def evaluate(self, asked: Sequence[Asked]) -> list[Seen]:
        """Evaluate points of one `Asked.kind`."""
        if not (self._records and _pays(asked)):
            self.close()
            return evaluate(asked)
        if not self._is_as_before(asked):
            self.close()
            self._last = [(one.objective, one.image) for one in asked]
        self._times += 1
        if self._times == TIMES:
            self._record(asked)
        if self._recording is None:
            return evaluate(asked)
        return self._recording.evaluate(points_of(asked))

    def _is_as_before(self, asked: Sequence[Asked]) -> bool:
        return len(asked) == len(self._last) and all(
            one.objective is objective and one.image is image
            for one, (objective, image) in zip(asked, self._last, strict=True)
        )

    def _record(self, asked: Sequence[Asked]) -> None:
        """Record what is asked; where that fails, as for want of memory, nothing is recorded from then on."""
        try:
            self._recording = Recording(Evaluation(asked), points_of(asked))
        except RuntimeError:  # what is wrong with the evaluation itself, it shows without a recording
            self._records = False

    def close(self) -> None:
        """Give back all that is kept."""
        self._last, self._times = [], 0
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()


class Recording:
    """An evaluation as a CUDA graph; ``close`` it, for its memory is of no use to anything else.

    Args:
        points: (B, N), some of those at which it is to be evaluated.

    Raises:
        torch.OutOfMemoryError: there is no room for it.
        RuntimeError: it does what cannot be recorded, or fails by itself.
    """

    def __init__(self, evaluation: Evaluation, points: Tensor) -> None:
        self._evaluation, self._points = evaluation, points.clone()
        self._graph, pool = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle()
        aside, stream = _aside(points.device), torch.cuda.current_stream(points.device)
        with _one_at_a_time:
            torch.cuda.empty_cache()  # what is kept for this stream is of no use to the other
            aside.wait_stream(stream)
            try:
                with torch.cuda.stream(aside):  # restored here: where a recording fails, torch may not come to it
                    evaluation(self._points)  # before it is recorded, libraries take what they need for this stream
                    # Other threads may go on to allocate memory and to wait for their own work.
                    with torch.cuda.graph(self._graph, pool, aside, capture_error_mode="thread_local"):
                        self._found = evaluation(self._points)
            except RuntimeError:
                _abandon(pool, points.device)
                raise
            finally:
                stream.wait_stream(aside)

    def evaluate(self, points: Tensor) -> list[Seen]:
        """Evaluate points (B, N)."""
        self._points.copy_(points)
        with _one_at_a_time:
            self._graph.replay()
        return self._evaluation.tell(Found(*(one.clone() for one in self._found)))

    def close(self) -> None:
        """Give its memory back."""
        with _one_at_a_time:
            torch.cuda.synchronize(self._points.device)  # it may still be going on, where an error came between
            del self._found
            self._graph.reset()
            torch.cuda.empty_cache()


def _abandon(pool: Any, device: torch.device) -> None:
    """Tell the allocator that nothing more comes into a pool, which torch does not where a recording became invalid.

    It would never give unused memory back again.
    """
    with suppress(RuntimeError):  # it was told, or the recording had not begun
        torch._C._cuda_endAllocateToPool(device.index, pool)
        torch._C._cuda_releasePool(device.index, pool)


@cache
def _aside(device: torch.device) -> torch.cuda.Stream:
    """The stream on which is recorded: one for all, since libraries keep room for each stream there ever was."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _pays(asked: Sequence[Asked]) -> bool:
    """Whether a recording is worth its memory: of small pictures on a GPU, where there is room to keep features."""
    start = asked[0].image.start
    return (
        start.is_cuda
        and len(asked) * start[0, 0].numel() <= PIXELS
        and not any(
            objective.recomputed
            for one in asked
            for objective in (one.objective, *(smaller.objective for smaller in one.objective.smaller))
        )
    )
