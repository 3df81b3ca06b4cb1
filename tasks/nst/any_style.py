"""The network that stylizes any picture in any style, in one pass.

A transformation network (Johnson, Alahi, Fei-Fei 2016) whose instance normalizations are scaled and shifted by what a
small network makes of the style (Ghiasi, Lee, Kudlur, Dumoulin, Shlens, "Exploring the structure of a real-time,
arbitrary neural artistic stylization network", BMVC 2017). Three things differ:

- What it makes is a change of the `ground`, the content in the style's colours and contrasts: in closed form, without
  any training and for any style, half of the style distance is gone and the palette is the style's.
- The style is described by moments of VGG-19's features (`condition`) instead of a network that is trained for it.
- The range is clamped as in `image`, with the gradient of a projection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylebatch.tasks.nst.condition import MOMENTS
from stylebatch.tasks.nst.ground import STATISTICS, ground
from stylebatch.tasks.nst.image import clamp_to_range
from stylebatch.tasks.nst.layer import Layer, Modulation
from stylebatch.tasks.nst.strips import in_strips

MIDDLE = 0.45  # about the mean of photographs
CONTRAST = 4.0  # brings their values to about a standard deviation of 1
STROKE = 0.1  # what one unit of the last layer is worth, so that it learns at the others' rate
BEYOND = 0.5  # how far out of the range the ground is shown to the network


@dataclass(frozen=True)
class Architecture:
    """What the network is built from.

    Attributes:
        outer: channels at the picture's own resolution; ``middle``: at half of it.
        trunk: channels of the residual blocks, at a quarter of the resolution.
        blocks: the number of residual blocks.
        width: of the layers that read the condition.
    """

    outer: int = 24
    middle: int = 48
    trunk: int = 96
    blocks: int = 5
    width: int = 256


class AnyStyleNetwork(nn.Module):
    """Paints pictures as conditions ask.

    Attributes:
        told_mean, told_std: of the moments over the styles of a training, (`MOMENTS`,), which they are measured by.
    """

    def __init__(self, architecture: Architecture = Architecture()) -> None:
        super().__init__()
        self.architecture = a = architecture
        self.head = nn.ModuleList([Layer(6, a.outer), Layer(a.outer, a.middle, stride=2), Layer(a.middle, a.trunk, 2)])
        self.trunk = nn.ModuleList(
            Layer(a.trunk, a.trunk, rectified=rectified) for _ in range(a.blocks) for rectified in (True, False)
        )
        self.tail = nn.ModuleList([Layer(a.trunk, a.middle, enlarge=2), Layer(a.middle, a.outer, enlarge=2)])
        self.painter = Layer(a.outer, 3, normalized=False, rectified=False)
        self.reader = nn.Sequential(
            nn.Linear(MOMENTS, a.width), nn.LeakyReLU(0.2), nn.Linear(a.width, a.width), nn.LeakyReLU(0.2)
        )
        self._channels = [layer.shape[0] for layer in cast(Sequence[Layer], (*self.head, *self.trunk, *self.tail))]
        self.modulator = nn.Linear(a.width, 2 * sum(self._channels))
        nn.init.normal_(self.modulator.weight, std=0.02)
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
            strip: so many rows at a time, of a single picture and without gradients, where memory is short. The
                statistics of the normalization are those of the whole picture all the same, so that the outcome is
                the same but for rounding.
            strength: of the strokes on the ground, (N,), in [0, 1]; all of them unless given.
        """
        told, statistics = torch.split(condition, [MOMENTS, STATISTICS], 1)
        under = ground(pictures, statistics)  # (N, 3, H, W)
        head, trunk, tail = self._modulations(told)
        height, width = pictures.shape[-2:]
        x = torch.cat([pictures, under.clamp(-BEYOND, 1 + BEYOND)], 1)  # (N, 6, H, W)
        x = F.pad(CONTRAST * (x - MIDDLE), (0, -width % 4, 0, -height % 4), mode="replicate")  # to be halved twice
        x = x.to(dtype, memory_format=torch.channels_last)
        first, last = cast(Sequence[Layer], self.head), cast(Sequence[Layer], (*self.tail, self.painter))
        if strip is None:
            x = self._blocks(_through(first, head, x), trunk)
            x = _through(last, [*tail, None], x)
        else:
            x = self._blocks(in_strips(first, head, x, strip), trunk)
            x = in_strips(last, [*tail, None], x, strip)
        strokes = STROKE * x[..., :height, :width].float()
        return clamp_to_range(under + (strokes if strength is None else strength.view(-1, 1, 1, 1) * strokes))

    def _blocks(self, x: Tensor, modulations: Sequence[Modulation]) -> Tensor:
        """The residual blocks: (N, trunk, H/4, W/4), before and after."""
        layers = cast(Sequence[Layer], self.trunk)
        for n in range(0, len(layers), 2):
            x = x + _through(layers[n : n + 2], modulations[n : n + 2], x)
        return x

    def _modulations(self, told: Tensor) -> tuple[Sequence[Modulation], Sequence[Modulation], Sequence[Modulation]]:
        """What moments (N, `MOMENTS`) make of each layer of head, trunk and tail."""
        given = self.modulator(self.reader((told - self.told_mean) / self.told_std))  # (N, 2 · channels)
        gains, shifts = (torch.split(part, self._channels, 1) for part in given.chunk(2, 1))
        modulations = [(1 + gain, shift) for gain, shift in zip(gains, shifts, strict=True)]
        begin, end = len(self.head), len(self.head) + len(self.trunk)
        return modulations[:begin], modulations[begin:end], modulations[end:]


def _through(layers: Sequence[Layer], modulations: Sequence[Modulation | None], x: Tensor) -> Tensor:
    for layer, modulation in zip(layers, modulations, strict=True):
        x = layer(x, modulation)
    return x
