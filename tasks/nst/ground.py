"""The ground that networks paint on: the content in the style's colours and contrasts, at each scale.

Both pictures are taken apart into bands of an octave each (Burt, Adelson, "The Laplacian Pyramid as a Compact Image
Code", 1983), and each band of the content gets the covariance of colours that the style's has, as Heeger and Bergen,
"Pyramid-based texture analysis/synthesis" (SIGGRAPH 1995), give a texture's bands the histograms of another's. There is
nothing to be trained in it, and it works for any style.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 4  # bands above the coarsest, which keeps what is left
STATISTICS = 3 + 9 * (LEVELS + 1)
# Added to the variances of a content's colours, of the coarsest band and of the others: where it has hardly any on an
# axis they would be blown up, noise and all.
EVEN_REST, EVEN = 3e-4, 1e-4
BEYOND = 0.5  # how far out of the range the ground is shown to the networks
Transport = Callable[[Tensor, Tensor], Tensor]  # as `optimal_transport`


def statistics(pictures: Tensor) -> Tensor:
    """What of a style the ground is made by: (N, 3, H, W), RGB in [0, 1] -> (N, `STATISTICS`).

    The mean colour, and the covariance of colours of each band, the finest first.
    """
    bands, rest = _bands(pictures)
    mean = rest.mean((2, 3))
    spread = [_covariance(one).flatten(1) for one in (*bands, rest - mean[..., None, None])]
    return torch.cat([mean, *spread], 1)


def optimal_transport(sources: Tensor, targets: Tensor) -> Tensor:
    """What moves colours of one covariance to another, as little as that takes: (K, 3, 3) twice -> (K, 3, 3).

    ``A = Σ^-½ (Σ^½ Σ_S Σ^½)^½ Σ^-½``, the optimal transport between two Gaussians (Dowson, Landau 1982; for colours
    Pitié, Kokaram 2007), for the sources ``Σ`` and the targets ``Σ_S``.
    """
    forward, backward = _power(sources, 0.5), _power(sources, -0.5)
    return backward @ _power(forward @ targets @ forward, 0.5) @ backward


def ground(pictures: Tensor, style: Tensor, transport: Transport = optimal_transport) -> Tensor:
    """Pictures (N, 3, H, W) with the `statistics` (N, `STATISTICS`) of their styles; some values leave the range.

    Gradients go through the colours, and take how they are moved as given.

    Args:
        transport: of the colours, all pictures' and bands' at once.
    """
    mean, *flat = torch.split(style, [3, *[9] * (LEVELS + 1)], 1)
    bands, rest = _bands(pictures)
    low = rest - rest.mean((2, 3), keepdim=True)
    unit = torch.eye(3, dtype=torch.double, device=pictures.device)
    parts = [(band.detach(), EVEN) for band in bands] + [(low.detach(), EVEN_REST)]
    sources = torch.cat([_covariance(part).double() + even * unit for part, even in parts])  # (bands · N, 3, 3)
    targets = torch.cat([one.view(-1, 3, 3) for one in flat]).double()
    *finer, widest = torch.split(transport(sources, targets).float(), len(pictures))
    x = _applied(widest, low) + mean[..., None, None]
    for band, move in zip(reversed(bands), reversed(finer), strict=True):
        x = _enlarged(x, band) + _applied(move, band)
    return x


def _bands(pictures: Tensor) -> tuple[list[Tensor], Tensor]:
    """The bands, each of half the sides of the one before, and what is left below them."""
    found, x = [], pictures
    for _ in range(LEVELS):
        smaller = F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
        found.append(x - _enlarged(smaller, x))
        x = smaller
    return found, x


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


def _covariance(x: Tensor) -> Tensor:
    """Of colours whose mean is zero: (N, 3, H, W) -> (N, 3, 3)."""
    flat = x.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def _applied(transport: Tensor, x: Tensor) -> Tensor:
    """Colours (N, 3, H, W) moved by (N, 3, 3)."""
    return (transport @ x.flatten(2)).view_as(x)


def _power(matrix: Tensor, exponent: float) -> Tensor:
    """``M^exponent`` of symmetric matrices (N, 3, 3) without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    power: Tensor = (vectors * values.clamp_min(1e-12)[:, None, :] ** exponent) @ vectors.transpose(1, 2)
    return power
