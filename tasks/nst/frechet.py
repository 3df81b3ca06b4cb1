"""How far two sets of pictures are apart, as sets: the Fréchet distance between Gaussians of their features.

After Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (NIPS 2017, eq.
6), and **not** their FID: they take the last layer of an Inception network over 50,000 pictures. Here it is relu3_1 of
the bundled VGG-19, its mean over each cell of a coarse grid, so that some dozen pictures are some hundred samples of
what strokes, edges and colours look like wherever they are. The covariances are shrunk (Ledoit, Wolf, "A
well-conditioned estimator for large-dimensional covariance matrices", 2004), since there are hardly more samples than
channels. Values compare with each other only where the pictures' size and about their number are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder

LAYER = "relu3_1"
CELL = 8  # positions of the layer on a side, which are 32 pixels


@dataclass(frozen=True)
class Gaussian:
    """What is known of a set of pictures: mean (C,) and covariance (C, C), float64."""

    mean: Tensor
    covariance: Tensor


@torch.no_grad()
def cells(encoder: Encoder, picture: Tensor) -> Tensor:
    """The mean features of each cell, (n, C), of pictures (N, 3, H, W), RGB in [0, 1]; what is left over is left out.

    Args:
        encoder: one that has `LAYER`.
    """
    (features,) = encoder(picture, {LAYER: Tensor.float}).values()  # (N, C, h, w)
    side = min(CELL, *features.shape[-2:])
    pooled = F.avg_pool2d(features, side)  # (N, C, h / 8, w / 8)
    return pooled.permute(0, 2, 3, 1).flatten(0, 2)


def gaussian_of(samples: Iterable[Tensor]) -> Gaussian:
    """The Gaussian of samples, (n, C) a picture, with a shrunk covariance.

    ``Σ* = (1-ρ) Σ + ρ μ I`` with ``μ = tr Σ / C`` and ``ρ = min(1, b² / d²)``, ``d² = ‖Σ - μ I‖²`` and
    ``b² = 1/n² Σ_k ‖x_k x_kᵀ - Σ‖²``, norms squared by Frobenius (Ledoit, Wolf 2004, eq. 14 and lemma 3.2 to 3.4).
    """
    x = torch.cat(list(samples)).double()  # (n, C)
    count, width = x.shape
    mean = x.mean(0)
    x = x - mean
    covariance = x.T @ x / count
    level = covariance.trace() / width
    target = level * torch.eye(width, dtype=x.dtype, device=x.device)
    spread = (covariance - target).square().sum()
    # Σ_k ‖x_k x_kᵀ - Σ‖² = Σ_k ‖x_k‖⁴ - n ‖Σ‖², since the Σ_k x_k x_kᵀ are n Σ.
    noise = (x.square().sum(1).square().sum() / count - covariance.square().sum()) / count
    share = float((noise / spread).clamp(0, 1)) if spread > 0 else 1.0
    return Gaussian(mean, (1 - share) * covariance + share * target)


def frechet_distance(one: Gaussian, other: Gaussian) -> float:
    """``‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½)`` (Dowson, Landau 1982; Heusel et al. 2017, eq. 6).

    Returns:
        0 for equal Gaussians, and more the further they are apart, in the square of the features' unit.
    """
    root = _root(one.covariance)
    # (Σ₁ Σ₂)^½ has the trace of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric.
    common = torch.linalg.eigvalsh(root @ other.covariance @ root).clamp_min(0).sqrt().sum()
    traces = one.covariance.trace() + other.covariance.trace()
    return float(((one.mean - other.mean).square().sum() + traces - 2 * common).clamp_min(0))


def _root(matrix: Tensor) -> Tensor:
    """``M^½`` of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root
