"""One layer of the network for any style: a convolution, instance normalization, the style's gain and shift, a ReLU."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-5  # what keeps the normalization of an even channel finite
Statistics = tuple[Tensor, Tensor]  # mean and variance of each channel, (C,) each, float32
Modulation = tuple[Tensor, Tensor]  # gain and shift of each channel, (N, C) each, float32


class Layer(nn.Module):
    """A convolution behind reflection padding, and instance normalization with a ReLU behind it.

    The gain and the shift behind the normalization are given: they are all that a style decides (Dumoulin, Shlens,
    Kudlur, "A Learned Representation for Artistic Style", ICLR 2017). The weights lie as a matrix
    (C_out, C_in · k · k), which is what Muon orthogonalizes.

    Args:
        taken: channels of what it is given, C_in; ``given``: of what it gives, C_out.
        stride: 2 halves the sides; ``enlarge=2`` doubles them beforehand, by nearest neighbours, which leaves no
            checkerboard (Odena, Dumoulin, Olah 2016).
        normalized: whether normalization follows; without it the convolution has a bias, and all of it starts at zero.
        rectified: whether a ReLU does.
    """

    kernel = 3

    def __init__(
        self,
        taken: int,
        given: int,
        stride: int = 1,
        enlarge: int = 1,
        normalized: bool = True,
        rectified: bool = True,
    ) -> None:
        super().__init__()
        self.shape = (given, taken, self.kernel, self.kernel)
        self.stride, self.enlarge = stride, enlarge
        self.normalized, self.rectified = normalized, rectified
        fan_in = taken * self.kernel**2
        self.weight = nn.Parameter(torch.zeros(given, fan_in))
        if normalized:
            draw(self.weight, math.sqrt(2 / fan_in))  # He, Zhang, Ren, Sun, "Delving deep into rectifiers" (2015)
        self.bias = None if normalized else nn.Parameter(torch.zeros(given))

    def forward(self, x: Tensor, modulation: Modulation | None = None) -> Tensor:
        """(N, C_in, h, w) -> (N, C_out, h', w'), with a modulation where the layer normalizes."""
        margin = self.kernel // 2
        x = self.convolve(self.enlarged(x), margin, margin)
        if modulation is not None:
            x = torch.cat([self.normalize(x[n : n + 1], one) for n, one in enumerate(_each(modulation))])
        return self.finish(x)

    def enlarged(self, x: Tensor) -> Tensor:
        """What the convolution is given."""
        return F.interpolate(x, scale_factor=self.enlarge, mode="nearest") if self.enlarge > 1 else x

    def convolve(self, x: Tensor, above: int, below: int) -> Tensor:
        """The convolution of (N, C_in, h, w), with so many rows reflected above and below it."""
        margin = self.kernel // 2
        x = F.pad(x, (margin, margin, above, below), mode="reflect")
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.conv2d(x, self.weight.to(x.dtype).view(self.shape), bias, self.stride)

    @staticmethod
    def normalize(x: Tensor, modulation: Modulation, statistics: Statistics | None = None) -> Tensor:
        """Instance normalization of one picture's features (1, C, h, w), by their own statistics or by given ones.

        Of a single picture it is what batch normalization does, which leaves the channels last, as torch's own instance
        normalization does not.

        Args:
            modulation: of this picture, (1, C) each.
        """
        gain, shift = modulation
        mean, variance = statistics or (None, None)
        return F.batch_norm(x, mean, variance, gain[0], shift[0], training=statistics is None, eps=EPSILON)

    def finish(self, x: Tensor) -> Tensor:
        """The ReLU, where there is one."""
        return F.relu(x, inplace=True) if self.rectified else x


def draw(weight: Tensor, deviation: float) -> None:
    """Let a weight start at normal numbers, unless it is on torch's device ``meta``, where a file's will replace it.

    There, to draw would make torch import its compiler, which takes two seconds.
    """
    if not weight.is_meta:
        nn.init.normal_(weight, std=deviation)


def _each(modulation: Modulation) -> Sequence[Modulation]:
    gain, shift = modulation
    return list(zip(torch.split(gain, 1), torch.split(shift, 1), strict=True))
