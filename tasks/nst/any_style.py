"""The network that stylizes any picture in any style, in one pass.

A `transformation` network (Johnson, Alahi, Fei-Fei 2016) whose instance normalizations are scaled and shifted by what a
small network makes of the style (Ghiasi, Lee, Kudlur, Dumoulin, Shlens, "Exploring the structure of a real-time,
arbitrary neural artistic stylization network", BMVC 2017). Three things differ:

- What it makes is a change of the `ground`, the content in the style's colours and contrasts: in closed form, without
  any training and for any style, half of the style distance is gone and the palette is the style's.
- The style is described by moments of VGG-19's features (`condition`) instead of a network that is trained for it.
- The range is clamped as in `image`, with the gradient of a projection.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stylebatch.tasks.nst.condition import MOMENTS
from stylebatch.tasks.nst.ground import STATISTICS, ground
from stylebatch.tasks.nst.layer import draw
from stylebatch.tasks.nst.transformation import Transformation, TransformationArchitecture


@dataclass(frozen=True)
class Architecture(TransformationArchitecture):
    """The transformation's, and the ``width`` of the layers that read the condition."""

    width: int = 256


class AnyStyleNetwork(Transformation):
    """Paints pictures as conditions ask.

    Attributes:
        told_mean, told_std: of the moments over the styles of a training, (`MOMENTS`,), which they are measured by.
    """

    def __init__(self, architecture: Architecture = Architecture()) -> None:
        a = architecture
        super().__init__(a)
        self.architecture = architecture
        self.reader = nn.Sequential(
            nn.Linear(MOMENTS, a.width), nn.LeakyReLU(0.2), nn.Linear(a.width, a.width), nn.LeakyReLU(0.2)
        )
        self.modulator = nn.Linear(a.width, 2 * sum(layer.shape[0] for layer in self.normalized))
        draw(self.modulator.weight, 0.02)
        nn.init.zeros_(self.modulator.bias)
        self.told_mean: Tensor
        self.told_std: Tensor
        self.register_buffer("told_mean", torch.zeros(MOMENTS))
        self.register_buffer("told_std", torch.ones(MOMENTS))

    def forward(
        self,
        pictures: Tensor,
        condition: Tensor,
        dtype: torch.dtype = torch.float32,
        strip: int | None = None,
        strength: Tensor | None = None,
    ) -> Tensor:
        """Stylize pictures (N, 3, H, W), RGB in [0, 1]; the outcome has the same shape and range.

        Args:
            condition: of the style of each picture, (N, `condition.WIDTH`), float32.
            dtype: of the features; bfloat16 where that is faster, see `precision`.
            strip: so many rows at a time, of a single picture and without gradients, where memory is short: the same
                but for rounding.
            strength: of the strokes on the ground, (N,), in [0, 1]; all of them unless given.
        """
        told, statistics = torch.split(condition, [MOMENTS, STATISTICS], 1)
        under = self.under(pictures, statistics)  # (N, 3, H, W)
        return self.put_on(under, pictures, *self.modulation(told), dtype, strip, strength)

    def under(self, pictures: Tensor, statistics: Tensor) -> Tensor:
        """What is painted on: the `ground` of pictures (N, 3, H, W), by their styles' statistics (N, `STATISTICS`)."""
        return ground(pictures, statistics)

    def modulation(self, told: Tensor) -> tuple[Tensor, Tensor]:
        """The gains and the shifts, (N, channels) each, that moments (N, `MOMENTS`) make."""
        given = self.modulator(self.reader((told - self.told_mean) / self.told_std))  # (N, 2 · channels)
        gains, shifts = given.chunk(2, 1)
        return 1 + gains, shifts
