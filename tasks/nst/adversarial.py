"""The losses of a cycle-consistent training: two kinds of pictures, and a network from each to the other.

Zhu, Park, Isola, Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (ICCV 2017).
Photographs are x, paintings y; G paints, F takes back; D tells the real ones of a kind from those that are made.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

UNIT = 2.0  # of the published weights, whose pictures are in [-1, 1], in those of pictures in [0, 1]


def takes_for(taken: Tensor, wanted: float) -> Tensor:
    """``E[(D(·) - wanted)²]``: how far a critic's values (N, 1, h, w) are from taking pictures for what they count as.

    The least-squares loss of Mao et al., "Least Squares Generative Adversarial Networks" (2016, eq. 2, with the labels
    1 for real and 0 for made), which has a gradient too where a critic is sure.
    """
    return (taken - wanted).square().mean()


def critic_loss(of_real: Tensor, of_made: Tensor) -> Tensor:
    """``½ E[(D(y) - 1)²] + ½ E[D(G(x))²]`` (Mao et al. 2016, eq. 2)."""
    return 0.5 * (takes_for(of_real, 1) + takes_for(of_made, 0))


def apart(picture: Tensor, wanted: Tensor) -> Tensor:
    """``E[‖a - b‖₁]``, the mean over pixels and channels of two pictures (N, 3, H, W) in [0, 1], in published units."""
    return UNIT * (picture - wanted).abs().mean()


@dataclass(frozen=True)
class Terms:
    """One way round, without the weights: scalars.

    Attributes:
        adversarial: ``E[(D_Y(G(x)) - 1)²]`` (Mao et al. 2016, eq. 2).
        cycle: ``E[‖F(G(x)) - x‖₁]`` (Zhu et al. 2017, eq. 2).
        identity: ``E[‖F(x) - x‖₁]`` (there, section 5.2): what is a photograph stays as it is, colours above all.
    """

    adversarial: Tensor
    cycle: Tensor
    identity: Tensor


@dataclass(frozen=True)
class CycleWeights:
    """``adversarial + λ cycle + ½ λ identity`` with λ = 10 (Zhu et al. 2017, eq. 3 and section 5.2)."""

    adversarial: float = 1.0
    cycle: float = 10.0
    identity: float = 5.0

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum."""
        return self.adversarial * terms.adversarial + self.cycle * terms.cycle + self.identity * terms.identity
