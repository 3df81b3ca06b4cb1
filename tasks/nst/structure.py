"""What stays of a photograph in a picture: features whose channels all count alike, and how well two pictures' agree.

A channel's mean and standard deviation over the positions are part of what is called style (Huang, Belongie, "Arbitrary
Style Transfer in Real-time with Adaptive Instance Normalization", ICCV 2017, eq. 5). Without them only the arrangement
is left: where something is, and not how bright or how strong.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

# A channel that is the same everywhere is divided by this instead of by zero, in the features' own unit.
TINY = 1e-5


def normalized(features: Tensor, floor: float = 0.0) -> Tensor:
    """Each channel brought to mean 0 and standard deviation 1 over the positions: ``(F - μ(F)) / σ(F)``.

    Args:
        features: (N, C, H, W), any float type; each of the N pictures by itself.
        floor: this share of the features' mean magnitude is added to σ, so that a channel with hardly anything in it
            is not blown up; a loss needs it.

    Returns:
        (N, C, H, W), float32.
    """
    features = features.float()
    centred = features - features.mean((2, 3), keepdim=True)
    deviation = (centred.square().mean((2, 3), keepdim=True) + TINY**2).sqrt()  # (N, C, 1, 1)
    if floor:
        deviation = deviation + floor * features.abs().mean((1, 2, 3), keepdim=True)
    return centred / deviation


def structure(features: Tensor, content: Tensor) -> float:
    """The mean over the positions of the cosine between the two pictures' normalized channel vectors.

    Args:
        features: of the picture, (1, C, H, W).
        content: of the content picture, the same shape.

    Returns:
        1 for the content itself, about 0 for a picture that has nothing to do with it, -1 at least.
    """
    return F.cosine_similarity(normalized(features), normalized(content), dim=1).mean().item()
