"""The network that paints as a collection of paintings does, in one pass: what a cycle-consistent training leaves.

The same `transformation` as the network for any style, but the gains and shifts of its normalizations are its own:
what a collection has in common it has learned, and nothing is told to it. It paints on the `ground`, the photograph in
the mean colours and contrasts of the collection, and gives that before it has learned anything. The networks of Zhu,
Park, Isola, Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (ICCV 2017), make
each picture from nothing, and take longer to learn to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stylebatch.tasks.nst.ground import BEYOND, STATISTICS, ground, statistics
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
    """Paints photographs as one collection asks, or takes paintings back to photographs.

    Attributes:
        statistics: the mean of the `ground.statistics` of what it makes, (1, `STATISTICS`), measured before a training.
    """

    def __init__(self, architecture: CollectionArchitecture = CollectionArchitecture()) -> None:
        a = architecture
        super().__init__(3, a.outer, a.middle, a.trunk, a.blocks)
        self.architecture = architecture
        channels = sum(layer.shape[0] for layer in self.normalized)
        self.gains, self.shifts = nn.Parameter(torch.ones(1, channels)), nn.Parameter(torch.zeros(1, channels))
        self.statistics: Tensor
        self.register_buffer("statistics", torch.zeros(1, STATISTICS))

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
            strength: how far to go from a picture's own statistics to the collection's, and how much of the strokes to
                put on that ground, (N,), in [0, 1]; all unless given.
        """
        count = pictures.shape[0]
        wanted = self.statistics.expand(count, -1)
        if strength is not None:
            wanted = torch.lerp(statistics(pictures), wanted, strength.view(-1, 1))
        under = ground(pictures, wanted)  # (N, 3, H, W)
        shown, gains, shifts = under.clamp(-BEYOND, 1 + BEYOND), self.gains, self.shifts
        strokes = self.strokes(shown, gains.expand(count, -1), shifts.expand(count, -1), dtype, strip)
        return clamp_to_range(under + (strokes if strength is None else strength.view(-1, 1, 1, 1) * strokes))
