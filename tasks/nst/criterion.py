"""What a training minimizes: how far a painted picture is from its content and from its style, each on its own scale.

It is the balanced form of the objective (`forms`), without which a network comes to paint the same texture over
whatever it is shown, and by which every style counts alike. One thing comes to it: beside the Gram matrices it looks at
the means and the standard deviations of the style's features, which are what the network is told (`condition`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from stylebatch.tasks.nst.condition import LOOKED_AT, moments
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.goals import CONTENT_LAYERS, Features, Style
from stylebatch.tasks.nst.losses import gram_matrix, total_variation

MOMENTS_SHARE = 0.5  # what means and standard deviations each count beside the Gram matrices


@dataclass(frozen=True)
class Terms:
    """The parts of what is minimized, without their weights; scalars."""

    content: Tensor
    style: Tensor
    tv: Tensor


@dataclass(frozen=True)
class Criterion:
    """``content · C + style · S + tv · V``.

    ``C`` is the mean of the balanced content distances at `CONTENT_LAYERS`;
    ``S = 1/L Σ_l ‖G - S‖/‖S‖ + ½ ‖μ - μ_S‖/‖μ_S‖ + ½ ‖σ - σ_S‖/‖σ_S‖`` at the L layers of `LOOKED_AT`;
    ``V`` is the total variation, in units of 0–255.
    """

    content: float
    style: float
    tv: float

    def terms(self, encoder: Encoder, painted: Tensor, arrangement: Features, style: Style) -> Terms:
        """How far a painted picture (1, 3, H, W), RGB in [0, 1], is from what was wanted of it."""
        seen = encoder(painted, {layer: _Look(layer, arrangement, style) for layer in LOOKED_AT})
        content = torch.stack([apart for apart, _ in seen.values() if apart is not None]).mean()
        style_term = torch.stack([apart for _, apart in seen.values()]).mean()
        return Terms(content, style_term, total_variation(painted))

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum."""
        return self.content * terms.content + self.style * terms.style + self.tv * terms.tv


@dataclass(frozen=True)
class _Look:
    """What one layer tells, without its features being kept: the content's part, where it has one, and the style's."""

    layer: str
    arrangement: Features
    style: Style

    def __call__(self, features: Tensor) -> tuple[Tensor | None, Tensor]:
        content = None
        if self.layer in CONTENT_LAYERS:
            content = BALANCED.content(BALANCED.view(features), self.arrangement[self.layer].float())
        far = BALANCED.style(gram_matrix(features), self.style.grams[self.layer].float())
        for own, wanted in zip(moments(features), self.style.moments[self.layer], strict=True):
            far = far + MOMENTS_SHARE * BALANCED.style(own, wanted)
        return content, far
