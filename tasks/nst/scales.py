"""From coarse to fine: a picture is optimized small first, and what came of it is carried over to the next size.

What a loss at a layer sees of a picture has a fixed number of pixels, so that strokes and structure shrink as the
picture grows. Beginning at a size that suits the network gives them the size that they have in small pictures (Gatys,
Ecker, Bethge, Hertzmann, Shechtman, "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section 6).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

# Longer side, in pixels, up to which one resolution does: what VGG-19's deepest style layer sees is a third of it.
ONE_RESOLUTION = 768


def automatic_scales(size: int) -> int:
    """The number of resolutions, each half the next, with which the coarsest is at most `ONE_RESOLUTION` pixels."""
    scales = 1
    while size / 2 ** (scales - 1) > ONE_RESOLUTION:
        scales += 1
    return scales


def resolutions(size: int, scales: int, steps: int) -> list[tuple[int, int]]:
    """The longer side and the steps of each resolution, from coarse to fine; all steps add up to ``steps``.

    The steps are shared out evenly, with what is left over to the finest; there are never more resolutions than steps.
    """
    scales = min(scales, steps)
    shares = [steps // scales] * (scales - 1)
    sizes = [max(1, round(size / 2**halvings)) for halvings in range(scales - 1, -1, -1)]
    return list(zip(sizes, [*shares, steps - sum(shares)], strict=True))


def carry_over(start: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """What the next resolution starts from: its own start, changed as the coarser one was.

    Adding the change, instead of enlarging the coarse picture, keeps the fine detail of the start.

    Args:
        start: (1, 3, H, W), RGB in [0, 1], of the next resolution.
        before: (1, 3, h, w), the coarser start.
        after: (1, 3, h, w), what became of it.
    """
    change = F.interpolate(after - before, start.shape[-2:], mode="bicubic", align_corners=False)
    return (start + change).clamp(0, 1)
