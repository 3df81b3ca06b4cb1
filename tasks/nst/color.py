"""Keeping the content's colours (Gatys, Bethge, Hertzmann, Shechtman, "Preserving Color in Neural Artistic Style
Transfer", 2016): both of the paper's methods. And giving them up at once, for a start that is near the style.

Pictures are (1, 3, H, W), RGB in [0, 1].
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

# Luminance of RGB, as in the YIQ space that the paper uses.
LUMINANCE = (0.299, 0.587, 0.114)
# Of a covariance, relative to its largest eigenvalue: below it a colour axis is taken for empty, as in a grey picture.
EMPTY = 1e-4


def luminance(picture: Tensor) -> Tensor:
    """The luminance Y: (1, 3, H, W) -> (1, 1, H, W)."""
    return (picture * _shares(picture.device, picture.dtype)).sum(1, keepdim=True)


@cache
def _shares(device: torch.device, dtype: torch.dtype) -> Tensor:
    """`LUMINANCE`, (1, 3, 1, 1): once, since a device would be waited for until it has it."""
    return torch.tensor(LUMINANCE, device=device, dtype=dtype).view(1, 3, 1, 1)


def grey(picture: Tensor) -> Tensor:
    """The picture without its colours, still with three channels."""
    return luminance(picture).expand_as(picture)


def match_luminance(style: Tensor, content: Tensor) -> Tensor:
    """The grey style with the mean and the standard deviation of the content's luminance (the paper's eq. 10)."""
    source, target = luminance(style), luminance(content)
    matched = (source - source.mean()) * (target.std() / source.std().clamp_min(1e-6)) + target.mean()
    return matched.clamp(0, 1).expand_as(style)


def with_colors_of(content: Tensor, picture: Tensor) -> Tensor:
    """The luminance of ``picture`` with the colours of ``content``; both have the same shape.

    In YIQ, exchanging Y is adding the difference of the luminances to every channel.
    """
    return (content + luminance(picture) - luminance(content)).clamp(0, 1)


def match_colors(style: Tensor, content: Tensor) -> Tensor:
    """The style after the affine map that gives it the content's mean and covariance of colours.

    ``x ← Σ_C^½ Σ_S^-½ (x - μ_S) + μ_C`` (the paper's "image analogies" solution), clamped to the range.
    """
    source, target = style[0].flatten(1), content[0].flatten(1)  # (3, N)
    forward, backward = _root(target, 0.5), _root(source, -0.5)
    centred = source - source.mean(1, keepdim=True)
    matched = forward @ backward @ centred + target.mean(1, keepdim=True)
    return matched.view_as(style).clamp(0, 1)


def _root(colors: Tensor, power: float) -> Tensor:
    """``Σ^power`` (3, 3) of the covariance of colours (3, N); an axis without any variance stays without."""
    values, vectors = torch.linalg.eigh(torch.cov(colors))
    used = values > EMPTY * values.max().clamp_min(1e-12)
    powers = torch.where(used, values.clamp_min(1e-12) ** power, 0)
    root: Tensor = vectors @ torch.diag(powers) @ vectors.T
    return root
