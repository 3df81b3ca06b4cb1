"""What the network for any style is told of a style: one vector, computed once a style, that can be averaged.

It holds the moments of the style's features in VGG-19 and the Gaussian of its colours. Means and standard deviations of
features are what the first network for any style was told of one (Huang, Belongie, "Arbitrary Style Transfer in
Real-time with Adaptive Instance Normalization", ICCV 2017, eq. 8); they are told by their logarithms, since they range
over four decades.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder

# The layers of VGG-19 that are looked at, and the widths of their features.
LOOKED_AT = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512}
MOMENTS = 2 * sum(LOOKED_AT.values())
WIDTH = MOMENTS + 3 + 9
# Added to the variance of a content's colours: an axis on which it has hardly any would be blown up, noise and all.
EVEN = 3e-4


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel over the positions: (N, C, h, w) -> (N, C) twice, float32."""
    features = features.float()
    return features.mean((2, 3)), (features.var((2, 3), correction=0) + 1e-5).sqrt()


def colors(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (N, 3) and covariance (N, 3, 3) of the pixels of pictures (N, 3, H, W)."""
    flat = picture.flatten(2)  # (N, 3, H·W)
    mean = flat.mean(2)
    centred = flat - mean[..., None]
    return mean, centred @ centred.transpose(1, 2) / flat.shape[2]


def condition_of(features: Mapping[str, Tensor], picture: Tensor) -> Tensor:
    """The condition (N, `WIDTH`) of pictures (N, 3, H, W), given their features at the layers of `LOOKED_AT`."""
    told = [(one + 1).log() for layer in LOOKED_AT for one in moments(features[layer])]  # (N, C) each
    mean, covariance = colors(picture)
    return torch.cat([*told, mean, covariance.flatten(1)], 1)


@torch.no_grad()
def look_at(encoder: Encoder, picture: Tensor) -> Tensor:
    """The condition (1, `WIDTH`) of a picture (1, 3, H, W), RGB in [0, 1]."""
    return condition_of(encoder(picture, dict.fromkeys(LOOKED_AT, Tensor.detach)), picture)


def with_colors(picture: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Pictures with the mean and the covariance of colours of their styles, moved as little as that takes.

    ``x ← A (x - μ) + μ_S`` with ``A = Σ^-½ (Σ^½ Σ_S Σ^½)^½ Σ^-½``, the optimal transport between two Gaussians (Dowson,
    Landau 1982; for colours Pitié, Kokaram 2007).

    Args:
        picture: (N, 3, H, W), RGB in [0, 1]; the outcome has the same shape, and may leave the range.
        mean: of the style's colours, (N, 3); ``covariance``: (N, 3, 3).
    """
    own, spread = colors(picture)
    even = EVEN * torch.eye(3, dtype=torch.double, device=picture.device)
    source, target = spread.double() + even, covariance.double()
    forward, backward = _power(source, 0.5), _power(source, -0.5)
    transport = (backward @ _power(forward @ target @ forward, 0.5) @ backward).float()  # (N, 3, 3)
    return (transport @ (picture.flatten(2) - own[..., None]) + mean[..., None]).view_as(picture)


def _power(matrix: Tensor, exponent: float) -> Tensor:
    """``M^exponent`` of symmetric matrices (N, 3, 3) without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(1e-12)[:, None, :] ** exponent) @ vectors.transpose(1, 2)
