"""What tells pictures of one kind from those that a network has made, patch by patch.

The discriminator of Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks" (CVPR
2017), as Zhu et al. (2017) use it: each of its values sees 70 × 70 pixels, and nothing tells it what lies beyond. So it
judges strokes, edges and colours, and leaves the motif to the cycle. It has half of the published channels: pieces of
128 to 192 px of some hundred pictures are soon known by heart.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 32  # channels of the first layer; published networks have 64
SLOPE = 0.2  # of the leaky ReLU
SHORTEST = 24  # pixels of a side, below which nothing would be left to judge


class PatchCritic(nn.Module):
    """Convolutions of 4 × 4, three of which halve the sides; instance normalization but in the first and the last.

    Weights begin as published, normal with a standard deviation of 0.02.
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        widths = [3, width, 2 * width, 4 * width, 8 * width, 1]
        strides = [2, 2, 2, 1, 1]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(taken, given, 4, stride, padding=1)
            for taken, given, stride in zip(widths, widths[1:], strides, strict=False)
        )
        for convolution in self.convolutions:
            assert isinstance(convolution, nn.Conv2d)
            nn.init.normal_(convolution.weight, std=0.02)
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        """What each patch is taken for, (N, 1, h, w), of pictures (N, 3, H, W), RGB in [0, 1]: 1 real, 0 made."""
        x = (2 * pictures - 1).contiguous(memory_format=torch.channels_last)
        last = len(self.convolutions) - 1
        for number, convolution in enumerate(self.convolutions):
            x = convolution(x)
            if 0 < number < last:
                x = F.instance_norm(x)
            if number < last:
                x = F.leaky_relu(x, SLOPE, inplace=True)
        return x
