"""A step for each size of crops, on a GPU as a CUDA graph.

A step is some thousand small kernels, and Python takes longer to ask for them than a GPU to carry
them out.  A graph asks for all of them at once.  It holds the shapes that it was captured with, so
there is one for each size of crops, and its input is copied to where it looks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from batched.crops import NUMBERS

# Steps of each size before its capture: what is allocated or chosen at first (Adam's moments, cuDNN's algorithms) must
# be there by then.
WARM = 4
AHEAD = 25  # steps that are asked for before the device is waited for, so that none but these are in its queue


class Steps:
    """Steps with crops of one size each.

    Args:
        step: what to do, with where the crops are, (2, `NUMBERS`, N), on the device, and their side.
        draw: where new crops are, by their number and their side, on the processor.
        counts: crops of a step, by their side.

    Attributes:
        steps, samples: how many there were.
    """

    def __init__(
        self,
        step: Callable[[Tensor, int], None],
        draw: Callable[[int, int], Tensor],
        counts: Mapping[int, int],
        device: str,
    ) -> None:
        self._step, self._draw, self._counts = step, draw, counts
        self._places = {
            side: torch.zeros(2, NUMBERS, count, dtype=torch.int64, device=device) for side, count in counts.items()
        }
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self.steps, self.samples = 0, 0
        self._on_gpu = device != "cpu"

    def capture(self, prepare: Callable[[], None]) -> None:
        """Take the first steps of each size, and make graphs of them; on a processor, do nothing.

        Args:
            prepare: what comes before each step.
        """
        if not self._on_gpu:
            return
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for side in self._counts:
                for _ in range(WARM):
                    prepare()
                    self.take(side)
        torch.cuda.current_stream().wait_stream(aside)
        torch.cuda.synchronize()
        for side, places in self._places.items():
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._step(places, side)
            self._graphs[side] = graph

    def take(self, side: int) -> None:
        """One step with new crops of this side."""
        count, places = self._counts[side], self._places[side]
        new = self._draw(count, side)
        places.copy_(new.pin_memory() if self._on_gpu else new, non_blocking=True)
        if side in self._graphs:
            self._graphs[side].replay()
        else:
            self._step(places, side)
        self.steps += 1
        self.samples += count
        if self._on_gpu and self.steps % AHEAD == 0:
            torch.cuda.synchronize()
