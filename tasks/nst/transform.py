"""The transformation network: one network a style, which stylizes any picture in one pass.

Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution" (ECCV 2016), in the form
that later work settled on: instance normalization (Ulyanov, Vedaldi, Lempitsky 2016), reflection padding, and nearest
neighbours before a convolution instead of a transposed one (Odena, Dumoulin, Olah 2016), which leaves no checkerboard.
Three things differ (``tests/benchmarks/README.md`` has what was tried, and figures):

- What the network makes is a change of the content: where it makes the whole picture, the loss falls lower, and what it
  learns to paint is the style's texture, with hardly a trace of the content. But texture is what it learns first, and
  quickly, where there is no content in the way; so a training may begin with a part of the content, or none.
- Beside the picture the network sees noise, always the same, so that it has something to paint with where a sky is
  even: after the same short training the loss was half as high.
- The range is clamped as in `image`, with the gradient of a projection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylebatch.tasks.nst.image import clamp_to_range
from stylebatch.tasks.nst.layer import Layer
from stylebatch.tasks.nst.strips import in_strips

MIDDLE = 0.45  # about the mean of photographs
CONTRAST = 4.0  # brings their values to about the spread of the noise
NOISE_SEED = 1


@dataclass(frozen=True)
class Architecture:
    """What a transformation network is built from.

    Attributes:
        outer: channels at the picture's own resolution; at half of it, twice as many.
        trunk: channels of the residual blocks, at a quarter of the resolution.
        blocks: the number of residual blocks.
        noise: channels of noise beside the three of the picture.
    """

    outer: int = 32
    trunk: int = 96
    blocks: int = 5
    noise: int = 3


class Residual(nn.Module):
    """Two layers whose outcome is added to what they were given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Layer(channels, channels, 3)
        self.second = Layer(channels, channels, 3, rectified=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> the same."""
        changed: Tensor = self.second(self.first(x))
        return x + changed


class TransformNetwork(nn.Module):
    """A picture into the style that the network was trained for.

    Attributes:
        presence: the share of the content's contrast in what is painted on; less only in the first part of a training.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.presence = 1.0
        outer, trunk = architecture.outer, architecture.trunk
        self.head = nn.Sequential(
            Layer(3 + architecture.noise, outer, 7),
            Layer(outer, 2 * outer, 3, stride=2),
            Layer(2 * outer, trunk, 3, stride=2),
        )
        self.trunk = nn.Sequential(*(Residual(trunk) for _ in range(architecture.blocks)))
        self.tail = nn.Sequential(
            Layer(trunk, 2 * outer, 3, enlarge=2),
            Layer(2 * outer, outer, 3, enlarge=2),
            Layer(outer, 3, 7, normalized=False, rectified=False),
        )

    @property
    def painter(self) -> Layer:
        """The last layer, which makes the picture."""
        return cast(Layer, self.tail[-1])

    def forward(self, pictures: Tensor, dtype: torch.dtype = torch.float32, strip: int | None = None) -> Tensor:
        """Stylize pictures (N, 3, H, W), RGB in [0, 1]; the outcome has the same shape and range.

        Args:
            dtype: of the features; bfloat16 where that is faster, see `precision`.
            strip: so many rows at a time, without gradients, where memory is short. The statistics of the normalization
                are those of the whole picture all the same, so that the outcome is the same but for rounding.
        """
        height, width = pictures.shape[-2:]
        x = F.pad(pictures, (0, -width % 4, 0, -height % 4), mode="replicate")  # sides that can be halved twice
        noise = _noise(self.architecture.noise, *x.shape[-2:]).to(x.device).expand(len(x), -1, -1, -1)
        x = torch.cat([CONTRAST * (x - MIDDLE), noise], 1).to(dtype, memory_format=torch.channels_last)
        if strip is None:
            x = self.tail(self.trunk(self.head(x)))
        else:
            x = in_strips(cast(Sequence[Layer], self.head), x, strip)
            x = in_strips(cast(Sequence[Layer], self.tail), self.trunk(x), strip)
        ground = MIDDLE + self.presence * (pictures - MIDDLE)
        return clamp_to_range(ground + x[..., :height, :width].float())


def _noise(channels: int, height: int, width: int) -> Tensor:
    """The same (1, C, H, W) for the same sides, on every device."""
    return torch.randn((1, channels, height, width), generator=torch.Generator().manual_seed(NOISE_SEED))
