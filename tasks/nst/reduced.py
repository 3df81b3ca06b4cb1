"""A picture made smaller, in a way that can be differentiated and gives the same bits on every run.

It is Pillow's `BILINEAR`, which filters when it shrinks, so that a picture is seen as its content and its style were.
Written as two products with matrices: on a GPU, torch's own resizing adds its gradients up in any order.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor


class Reduction:
    """Makes pictures of one shape smaller, see `reduced`; it keeps what it does so with.

    Args:
        picture: (…, H, W), any of them.
    """

    def __init__(self, picture: Tensor, height: int, width: int) -> None:
        self._down = _weights(picture.shape[-2], height, picture.device)
        self._across = _weights(picture.shape[-1], width, picture.device)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) as (N, 3, height, width)."""
        return self._down @ pictures @ self._across.T


def reduced(pictures: Tensor, height: int, width: int) -> Tensor:
    """Pictures (N, 3, H, W), of at most that many pixels on each side: (N, 3, height, width)."""
    return Reduction(pictures, height, width)(pictures)


@lru_cache(maxsize=16)  # of 33 MB each for a picture of 4096 px
def _weights(longer: int, shorter: int, device: torch.device) -> Tensor:
    """What each pixel of the shorter row has of each of the longer one's: (shorter, longer)."""
    single = torch.eye(longer, device=device)[None, None]  # a column for each pixel, of which it alone is 1
    return F.interpolate(single, (shorter, longer), mode="bilinear", antialias=True)[0, 0]
