"""The network that paints as a collection of paintings does, in one pass: what a cycle-consistent training leaves.

The same `transformation` as the network for any style, but the gains and shifts of its normalizations are its own:
what a collection has in common it has learned, and nothing is told to it. It paints on the photograph, which it leaves
as it is before it has learned anything. The networks of Zhu, Park, Isola, Efros, "Unpaired Image-to-Image Translation
using Cycle-Consistent Adversarial Networks" (ICCV 2017), make each picture from nothing, and take longer to learn to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stylebatch.tasks.nst.image import clamp_to_range
from stylebatch.tasks.nst.transformation import Transformation


@dataclass(frozen=True)
class CollectionArchitecture:
    """What the network is built from; see `Transformation`."""

    outer: int = 16
    middle: int = 32
    trunk: int = 64
    blocks: int = 6


class CollectionNetwork(Transformation):
    """Paints photographs as one collection asks, or takes paintings back to photographs."""

    def __init__(self, architecture: CollectionArchitecture = CollectionArchitecture()) -> None:
        a = architecture
        super().__init__(3, a.outer, a.middle, a.trunk, a.blocks)
        self.architecture = architecture
        channels = sum(layer.shape[0] for layer in self.normalized)
        self.gains, self.shifts = nn.Parameter(torch.ones(1, channels)), nn.Parameter(torch.zeros(1, channels))

    def forward(
        self,
        pictures: Tensor,
        dtype: torch.dtype = torch.float32,
        strip: int | None = None,
        strength: Tensor | None = None,
    ) -> Tensor:
        """Paint pictures (N, 3, H, W), RGB in [0, 1]; the outcome has the same shape and range.

        Args:
            dtype: of the features.
            strip: so many rows at a time, of a single picture and without gradients, where memory is short.
            strength: of the strokes on the picture, (N,), in [0, 1]; all of them unless given.
        """
        count = pictures.shape[0]
        strokes = self.strokes(pictures, self.gains.expand(count, -1), self.shifts.expand(count, -1), dtype, strip)
        return clamp_to_range(pictures + (strokes if strength is None else strength.view(-1, 1, 1, 1) * strokes))
