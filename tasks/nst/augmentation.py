"""Changes by chance of all that a critic is shown, real or made, so that it cannot know some dozen paintings by heart.

Zhao, Liu, Lin, Zhu, Han, "Differentiable Augmentation for Data-Efficient GAN Training" (NeurIPS 2020): colour,
translation and cutout, through which the gradient reaches what made the picture. Colours change less than there, since
they are part of a style, and a square is cut out of every second picture only.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

# Ranges: what is added to all values; what the distances from a pixel's grey, and those from the picture's mean, are
# multiplied by.
BRIGHTNESS, SATURATION, CONTRAST = (-0.3, 0.3), (0.4, 1.6), (0.6, 1.4)
MOVED = 1 / 8  # share of a side, at most
CUT, OFTEN = 1 / 2, 1 / 2  # share of a side that is cut out, and of the pictures
EMPTY = 0.5  # what is put where nothing is left: the middle of the range, as theirs


@dataclass(frozen=True)
class Augmentation:
    """One change, of pictures with one shape.

    Attributes:
        right, down: pixels that the picture is moved by.
        hole: what is cut out, as top, left, bottom, right; some of it may lie outside.
    """

    brightness: float
    saturation: float
    contrast: float
    right: int
    down: int
    hole: tuple[int, int, int, int] | None

    def __call__(self, picture: Tensor) -> Tensor:
        """The picture (1, 3, H, W), RGB in [0, 1], changed: the same shape; some values leave the range."""
        x = picture + self.brightness
        x = torch.lerp(x.mean(1, keepdim=True), x, self.saturation)
        x = torch.lerp(x.mean((1, 2, 3), keepdim=True), x, self.contrast)
        x = F.pad(x, (self.right, -self.right, self.down, -self.down), value=EMPTY)
        if self.hole is None:
            return x
        top, left, bottom, right = self.hole
        hidden = torch.zeros(x.shape[-2:], dtype=torch.bool, device=x.device)
        hidden[max(0, top) : bottom, max(0, left) : right] = True
        return x.masked_fill(hidden, EMPTY)


def draw_augmentation(chance: Random, height: int, width: int) -> Augmentation:
    """One for pictures of this shape, in pixels."""
    brightness, saturation, contrast = (chance.uniform(*one) for one in (BRIGHTNESS, SATURATION, CONTRAST))
    right, down = (chance.randint(-most, most) for most in (int(MOVED * width), int(MOVED * height)))
    cut_down, cut_across = int(CUT * height), int(CUT * width)
    middle_down, middle_across = chance.randrange(height), chance.randrange(width)
    top, left = middle_down - cut_down // 2, middle_across - cut_across // 2
    hole = (top, left, top + cut_down, left + cut_across) if chance.random() < OFTEN else None
    return Augmentation(brightness, saturation, contrast, right, down, hole)
