"""Regions: each style in a part of the picture of its own, by guided Gram matrices.

Gatys, Ecker, Bethge, Hertzmann, Shechtman, "Controlling Perceptual Factors in Neural Style Transfer" (CVPR 2017),
section 4.1: guidance channels T_r, one a region and normalised so that Σ_i T_r(i)² = 1 over the positions i, weight the
features before their Gram matrix is taken. Two things are decided here that the paper leaves open:

- A mask is the share of a position that belongs to a style, T_r(i)² = m_r(i) / Σ_i m_r(i): twice the grey counts twice.
- The weight λ_r of a region's loss is its style's strength times its area. Gram matrices are means over positions, so
  that without the area each position of a small region would be pulled harder than one of a large region. With it, a
  style of strength 1 works everywhere as in an unguided transfer, and styles that share the whole picture are a blend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder


@dataclass(frozen=True)
class Region:
    """Where one style applies, at one layer of h·w positions.

    Attributes:
        positions: (n,), the positions with any share in the region, row by row.
        shares: (n,), float32, in (0, 1].
        weight: λ_r, the style's strength times the mean share of all positions.
    """

    positions: Tensor
    shares: Tensor
    weight: float


def normalize_masks(masks: Tensor) -> Tensor:
    """Masks (R, H, W) in [0, 1], scaled where they overlap so that they add up to 1 at most.

    Positions that belong to no mask, or to a grey one in part, are left to the content so far.
    """
    return masks / masks.sum(0).clamp_min(1)


def regions_at(masks: Tensor, strengths: Sequence[float], height: int, width: int) -> list[Region]:
    """The regions at a layer's resolution: each position has the mean of the mask's pixels below it.

    Args:
        masks: (R, H, W), from `normalize_masks`.
        strengths: of the R styles, relative to an unguided transfer.
    """
    regions = []
    shares = F.adaptive_avg_pool2d(masks, (height, width)).flatten(1)  # (R, h·w)
    for share, strength in zip(shares, strengths, strict=True):
        positions = share.nonzero()[:, 0]
        regions.append(Region(positions, share[positions], strength * share.mean().item()))
    return regions


def guide(
    encoder: Encoder, picture: Tensor, layers: Iterable[str], masks: Tensor, strengths: Sequence[float]
) -> dict[str, list[Region]]:
    """The regions at each of ``layers``, for pictures of the shape of ``picture`` (1, 3, H, W).

    Args:
        masks: (R, H, W), from `normalize_masks`.
        strengths: of the R styles, relative to an unguided transfer.
    """

    def at(features: Tensor) -> list[Region]:
        return regions_at(masks, strengths, *features.shape[-2:])

    with torch.no_grad():
        regions: dict[str, list[Region]] = encoder(picture, dict.fromkeys(layers, at))
    return regions


class _GuidedGram(torch.autograd.Function):
    """``G = Σ_i m_i f_i f_iᵀ / Σ_i m_i`` over the positions of a region; only these are touched."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, positions: Tensor, shares: Tensor) -> Tensor:
        ctx.save_for_backward(features, positions, shares)
        rows = features.permute(0, 2, 3, 1).flatten(0, 2)[positions]  # (n, C)
        gram: Tensor = (rows * shares.to(rows.dtype)[:, None]).T @ rows  # (C, C)
        return gram.float() / shares.sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        features, positions, shares = ctx.saved_tensors
        n, channels, height, width = features.shape
        all_rows = features.permute(0, 2, 3, 1).flatten(0, 2)  # (h·w, C)
        symmetric = (gradients[0] + gradients[0].T) / shares.sum()  # (C, C)
        rows = all_rows[positions] @ symmetric.to(all_rows.dtype)  # (n, C)
        gradient = torch.zeros_like(all_rows)
        gradient[positions] = rows * shares.to(rows.dtype)[:, None]
        return gradient.view(n, height, width, channels).permute(0, 3, 1, 2), None, None


def guided_gram(features: Tensor, region: Region) -> Tensor:
    """The guided Gram matrix of features (1, C, h, w) in a region that is not empty: (C, C), float32.

    Its gradient supposes that of the loss to be taken over a symmetric matrix, as `losses.gram_matrix` does.
    """
    gram: Tensor = _GuidedGram.apply(features, region.positions, region.shares)  # type: ignore[no-untyped-call]
    return gram


def guided_distance(
    features: Tensor, regions: Sequence[Region], targets: Tensor, distance: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """``Σ_r λ_r · D(G_r, S_r)`` for regions of weights λ_r and their styles' Gram matrices S_r, (R, C, C).

    A region that is empty adds nothing. Where the ``distance`` D is relative, each is so to its own region's style.
    """
    total = features.new_zeros((), dtype=torch.float32)
    for region, target in zip(regions, targets, strict=True):
        if len(region.positions):
            total = total + region.weight * distance(guided_gram(features, region), target)
    return total
