"""What stays of a photograph in a picture: features whose channels all count alike, and how well two pictures' agree.

A channel's mean and standard deviation over the positions are part of what is called style (Huang, Belongie, "Arbitrary
Style Transfer in Real-time with Adaptive Instance Normalization", ICCV 2017, eq. 5). Without them only the arrangement
is left: where something is, and not how bright or how strong.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# A channel that is the same everywhere is divided by this instead of by zero, in the features' own unit.
TINY = 1e-5


class _Normalize(torch.autograd.Function):
    """``y = (f - μ) / s`` with ``s = σ + floor · mean of all σ``, in as few passes over the features as can be.

    Its gradient is ``df = g/s - mean(g/s) + y s dσ / (n σ)`` for n positions, where ``dσ`` comes from
    ``ds = -Σ g y / s`` of its own channel and, by the floor, from those of all.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, floor: float) -> Tensor:
        normal = features - features.mean((2, 3), keepdim=True)
        sigma = (normal.square().mean((2, 3), keepdim=True) + TINY**2).sqrt()  # (N, C, 1, 1)
        scale = sigma + floor * sigma.mean(1, keepdim=True)
        normal *= 1 / scale
        ctx.save_for_backward(normal, sigma, scale)
        ctx.floor = floor
        return normal

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        normal, sigma, scale = ctx.saved_tensors
        (gradient,) = gradients
        positions = normal.shape[2] * normal.shape[3]
        by_scale = -(gradient * normal).sum((2, 3), keepdim=True) / scale  # (N, C, 1, 1)
        by_sigma = by_scale + ctx.floor * by_scale.mean(1, keepdim=True)
        slope = by_sigma * scale / (positions * sigma)
        result = torch.addcmul(-gradient.mean((2, 3), keepdim=True) / scale, gradient, 1 / scale)
        return result.addcmul_(normal, slope), None


def normalized(features: Tensor, floor: float = 0.0) -> Tensor:
    """Each channel brought to mean 0 and standard deviation 1 over the positions: ``(F - μ(F)) / σ(F)``.

    Args:
        features: (N, C, H, W), any float type; each of the N pictures by itself.
        floor: this share of the channels' mean standard deviation is added to each, so that a channel with hardly
            anything in it is not blown up; a loss needs it.

    Returns:
        (N, C, H, W), float32.
    """
    found: Tensor = _Normalize.apply(features.float(), floor)  # type: ignore[no-untyped-call]
    return found


def structure(features: Tensor, content: Tensor) -> float:
    """The mean over the positions of the cosine between the two pictures' normalized channel vectors.

    Args:
        features: of the picture, (1, C, H, W).
        content: of the content picture, the same shape.

    Returns:
        1 for the content itself, about 0 for a picture that has nothing to do with it, -1 at least.
    """
    return F.cosine_similarity(normalized(features), normalized(content), dim=1).mean().item()
