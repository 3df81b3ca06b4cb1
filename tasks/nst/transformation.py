"""The transformation network that everything which paints in one pass is made of (Johnson, Alahi, Fei-Fei 2016).

Two convolutions halve the sides, residual blocks follow (He et al. 2016), and two layers double the sides again. Each
convolution lies behind reflection padding and is followed by instance normalization (Ulyanov, Vedaldi, Lempitsky 2016),
whose gain and shift are given. Sides are doubled by nearest neighbours and a convolution (Odena, Dumoulin, Olah 2016)
instead of a transposed convolution, which leaves a checkerboard.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylebatch.tasks.nst.layer import Layer, Modulation
from stylebatch.tasks.nst.strips import in_strips

MIDDLE = 0.45  # about the mean of photographs
CONTRAST = 4.0  # brings their values to about a standard deviation of 1
STROKE = 0.1  # what one unit of the last layer is worth, so that it learns at the others' rate


class Transformation(nn.Module):
    """Makes strokes of pictures: what is to be added to a picture that shows through.

    The last layer starts at zero, and with it all strokes.

    Args:
        taken: channels of what it is given.
        outer: channels at the picture's own resolution; ``middle``: at half of it; ``trunk``: at a quarter, where the
            residual ``blocks`` are.

    Attributes:
        layer: what it is made of.
    """

    layer: ClassVar[type[Layer]] = Layer

    def __init__(self, taken: int, outer: int, middle: int, trunk: int, blocks: int) -> None:
        super().__init__()
        layer = self.layer
        self.head = nn.ModuleList([layer(taken, outer), layer(outer, middle, stride=2), layer(middle, trunk, 2)])
        self.trunk = nn.ModuleList(
            layer(trunk, trunk, rectified=rectified) for _ in range(blocks) for rectified in (True, False)
        )
        self.tail = nn.ModuleList([layer(trunk, middle, enlarge=2), layer(middle, outer, enlarge=2)])
        self.painter = layer(outer, 3, normalized=False, rectified=False)

    @property
    def normalized(self) -> Sequence[Layer]:
        """The layers that are normalized, in their order."""
        return cast(Sequence[Layer], (*self.head, *self.trunk, *self.tail))

    def strokes(self, x: Tensor, gains: Tensor, shifts: Tensor, dtype: torch.dtype, strip: int | None = None) -> Tensor:
        """The strokes (N, 3, H, W), float32, for what is given, (N, taken, H, W) about `MIDDLE`.

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
