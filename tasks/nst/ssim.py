"""Structural similarity: how much of one picture's structure another has.

Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", IEEE
Transactions on Image Processing 13 (2004).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# The paper's window and constants, for values in [0, 1].
WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def ssim(one: Tensor, other: Tensor) -> float:
    """The mean of the paper's eq. 13 over every position at which the window lies within the pictures.

    Args:
        one: luminance (1, 1, H, W) in [0, 1], H and W at least `WINDOW`.
        other: of the same shape.

    Returns:
        1 for equal pictures, about 0 for unrelated ones, negative where structure is inverted; symmetric.
    """
    one, other = one.double(), other.double()  # variances are differences of nearly equal means
    mean_1, mean_2 = _local_mean(one), _local_mean(other)
    variance_1 = _local_mean(one * one) - mean_1**2
    variance_2 = _local_mean(other * other) - mean_2**2
    covariance = _local_mean(one * other) - mean_1 * mean_2
    luminance = (2 * mean_1 * mean_2 + C1) / (mean_1**2 + mean_2**2 + C1)
    structure = (2 * covariance + C2) / (variance_1 + variance_2 + C2)
    return (luminance * structure).mean().item()


def _local_mean(x: Tensor) -> Tensor:
    """The mean under the Gaussian window: (1, 1, H, W) -> (1, 1, H - 10, W - 10)."""
    offset = torch.arange(WINDOW, dtype=x.dtype, device=x.device) - WINDOW // 2
    window = torch.exp(-(offset**2) / (2 * SIGMA**2))
    window = window / window.sum()
    return F.conv2d(F.conv2d(x, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))
