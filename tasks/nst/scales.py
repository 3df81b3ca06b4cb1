"""From coarse to fine: a picture is optimized small first, and what came of it is carried over to the next size.

What a loss at a layer sees of a picture has a fixed number of pixels, so that strokes and structure shrink as the
picture grows. Beginning at a size that suits the network gives them the size that they have in small pictures (Gatys,
Ecker, Bethge, Hertzmann, Shechtman, "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section 6).
What came of it is lost again where the finer size alone is looked at. So the balanced objective goes on to look at all
sizes that there were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Ladder:
    """How an objective is minimized from coarse to fine.

    Attributes:
        longest: longer side, in pixels, up to which one resolution does.
        ratio: how many steps a resolution has for each of the next finer one.
        looks_back: whether at each resolution the coarser ones are still looked at, by a picture that is made smaller.
    """

    longest: int
    ratio: int
    looks_back: bool


# What VGG-19's deepest style layer sees is a third of 768 px. The balanced objective's weights were set at 256 px, so
# that its coarsest size is the one of all halves that is nearest to this: 256 · √2 at most.
LADDERS: Mapping[str, Ladder] = {
    "balanced": Ladder(longest=362, ratio=2, looks_back=True),
    "classic": Ladder(longest=768, ratio=1, looks_back=False),
}


def scales_of(objective: str, size: int, scales: int | Literal["auto"]) -> int:
    """The number of resolutions, each half the next; ``auto``: until the coarsest is `Ladder.longest` or shorter."""
    if scales != "auto":
        return scales
    found = 1
    while size / 2 ** (found - 1) > LADDERS[objective].longest:
        found += 1
    return found


def resolutions(objective: str, size: int, scales: int, steps: int) -> list[tuple[int, int]]:
    """The longer side and the steps of each resolution, from coarse to fine; all steps add up to ``steps``.

    The steps are shared out by the ladder's ratio, with what is left over to the one that has most, or of several the
    finest; each has one at least, so that there are never more resolutions than steps.
    """
    scales = min(scales, steps)
    parts = [LADDERS[objective].ratio ** halvings for halvings in range(scales - 1, -1, -1)]
    shares = [max(1, steps * part // sum(parts)) for part in parts]
    most = max(range(scales), key=lambda number: (shares[number], number))
    shares[most] += steps - sum(shares)
    sizes = [max(1, round(size / 2**halvings)) for halvings in range(scales - 1, -1, -1)]
    return list(zip(sizes, shares, strict=True))


def looked_at(objective: str, number: int) -> range:
    """The numbers of the resolutions, from coarse to fine, that are looked at in the one with this ``number``."""
    return range(0 if LADDERS[objective].looks_back else number, number + 1)


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
