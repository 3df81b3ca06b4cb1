"""The transformation network that everything which paints in one pass is made of (Johnson, Alahi, Fei-Fei 2016).

Two convolutions halve the sides, residual blocks follow (He et al. 2016), and two layers double the sides again. Each
convolution lies behind reflection padding and is followed by instance normalization (Ulyanov, Vedaldi, Lempitsky 2016),
whose gain and shift are given. Sides are doubled by nearest neighbours and a convolution (Odena, Dumoulin, Olah 2016)
instead of a transposed convolution, which leaves a checkerboard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylebatch.tasks.nst.ground import BEYOND
from stylebatch.tasks.nst.image import clamp_to_range
from stylebatch.tasks.nst.layer import Layer, Modulation
from stylebatch.tasks.nst.strips import in_strips

TAKEN = 6  # channels: of a picture, and of its ground
MIDDLE = 0.45  # about the mean of photographs
CONTRAST = 4.0  # brings their values to about a standard deviation of 1
STROKE = 0.1  # what one unit of the last layer is worth, so that it learns at the others' rate


@dataclass(frozen=True)
class TransformationArchitecture:
    """What the network is built from.

    Attributes:
        outer: channels at the picture's own resolution; ``middle``: at half of it.
        trunk: channels of the residual blocks, at a quarter of the resolution.
        blocks: the number of residual blocks.
    """

    outer: int = 24
    middle: int = 48
    trunk: int = 96
    blocks: int = 5


class Transformation(nn.Module):
    """Makes strokes of a picture and its `ground`, which they are put on.

    The last layer starts at zero, and with it all strokes.

    Attributes:
        layer: what it is made of.
    """

    layer: ClassVar[type[Layer]] = Layer

    def __init__(self, architecture: TransformationArchitecture) -> None:
        super().__init__()
        layer, outer, middle, trunk = self.layer, architecture.outer, architecture.middle, architecture.trunk
        self.head = nn.ModuleList([layer(TAKEN, outer), layer(outer, middle, stride=2), layer(middle, trunk, 2)])
        self.trunk = nn.ModuleList(
            layer(trunk, trunk, rectified=rectified) for _ in range(architecture.blocks) for rectified in (True, False)
        )
        self.tail = nn.ModuleList([layer(trunk, middle, enlarge=2), layer(middle, outer, enlarge=2)])
        self.painter = layer(outer, 3, normalized=False, rectified=False)

    @property
    def normalized(self) -> Sequence[Layer]:
        """The layers that are normalized, in their order."""
        return cast(Sequence[Layer], (*self.head, *self.trunk, *self.tail))

    def put_on(
        self,
        under: Tensor,
        pictures: Tensor,
        gains: Tensor,
        shifts: Tensor,
        dtype: torch.dtype,
        strip: int | None = None,
        strength: Tensor | None = None,
    ) -> Tensor:
        """Pictures (N, 3, H, W), RGB in [0, 1], with their strokes put on the grounds ``under`` them, the same shape.

        Args:
            gains, shifts, dtype, strip: as in `strokes`.
            strength: of the strokes, (N,), in [0, 1]; all of them unless given.
        """
        x = torch.cat([pictures, under.clamp(-BEYOND, 1 + BEYOND)], 1)  # (N, TAKEN, H, W)
        strokes = self.strokes(x, gains, shifts, dtype, strip)
        return clamp_to_range(under + (strokes if strength is None else strength.view(-1, 1, 1, 1) * strokes))

    def strokes(self, x: Tensor, gains: Tensor, shifts: Tensor, dtype: torch.dtype, strip: int | None = None) -> Tensor:
        """The strokes (N, 3, H, W), float32, for what is given, (N, `TAKEN`, H, W) about `MIDDLE`.

        Args:
            gains, shifts: of all normalized layers' channels, one layer behind the other, (N, C) each.
            dtype: of the features.
            strip: so many rows at a time, of a single picture and without gradients. The statistics of the
                normalization are those of the whole picture all the same, so that the outcome is the same but for
                rounding.
        """
        height, width = x.shape[-2:]
        channels = [layer.shape[0] for layer in self.normalized]
        each = zip(torch.split(gains, channels, 1), torch.split(shifts, channels, 1), strict=True)
        modulations: list[Modulation] = list(each)
        begin, end = len(self.head), len(self.head) + len(self.trunk)
        head, trunk, tail = modulations[:begin], modulations[begin:end], modulations[end:]
        x = F.pad(CONTRAST * (x - MIDDLE), (0, -width % 4, 0, -height % 4), mode="replicate")  # to be halved twice
        x = x.to(dtype, memory_format=torch.channels_last)
        first, last = cast(Sequence[Layer], self.head), cast(Sequence[Layer], (*self.tail, self.painter))
        if strip is None:
            x = self._blocks(_through(first, head, x), trunk)
            x = _through(last, [*tail, None], x)
        else:
            x = self._blocks(in_strips(first, head, x, strip), trunk)
            x = in_strips(last, [*tail, None], x, strip)
        return STROKE * x[..., :height, :width].float()

    def _blocks(self, x: Tensor, modulations: Sequence[Modulation]) -> Tensor:
        """The residual blocks: (N, trunk, H/4, W/4), before and after."""
        layers = cast(Sequence[Layer], self.trunk)
        for n in range(0, len(layers), 2):
            x = x + _through(layers[n : n + 2], modulations[n : n + 2], x)
        return x


def _through(layers: Sequence[Layer], modulations: Sequence[Modulation | None], x: Tensor) -> Tensor:
    for layer, modulation in zip(layers, modulations, strict=True):
        x = layer(x, modulation)
    return x
