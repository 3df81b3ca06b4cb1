"""What a training minimizes: how far a painted picture is from its content and from its style, each on its own scale.

The objective of Johnson, Alahi, Fei-Fei (2016) departed from in two ways, without which a network comes to paint the
same texture over whatever it is shown. The content is compared by normalized features (`structure`), which tell where
something is and not in which colours; and everything about a style is relative to the style's own norm, so that loud
styles and quiet ones count alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stylebatch.tasks.nst.condition import LOOKED_AT, moments
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.goals import CONTENT_LAYERS, FLOOR, Features, Style
from stylebatch.tasks.nst.losses import gram_matrix, total_variation
from stylebatch.tasks.nst.structure import normalized
from stylebatch.tasks.nst.style_distance import relative_distance

MOMENTS_SHARE = 0.5  # what means and standard deviations each count beside the Gram matrices
LEVELS = 255  # of `total_variation`, whose unit is one of them


@dataclass(frozen=True)
class Terms:
    """The parts of what is minimized, without their weights; scalars."""

    content: Tensor
    style: Tensor
    tv: Tensor


@dataclass(frozen=True)
class Criterion:
    """``content · C + style · S + tv · V``.

    ``C = 1/L Σ_l mse(N(F_l), N(P_l))`` with normalized features at `CONTENT_LAYERS`;
    ``S = 1/L Σ_l ‖G - S‖/‖S‖ + ½ ‖μ - μ_S‖/‖μ_S‖ + ½ ‖σ - σ_S‖/‖σ_S‖`` at the layers of `LOOKED_AT`;
    ``V`` the total variation of pixels in [0, 1].
    """

    content: float
    style: float
    tv: float

    def terms(self, encoder: Encoder, painted: Tensor, arrangement: Features, style: Style) -> Terms:
        """How far a painted picture (1, 3, H, W), RGB in [0, 1], is from what was wanted of it."""
        seen = encoder(painted, {layer: _Look(layer, arrangement, style) for layer in LOOKED_AT})
        content = torch.stack([apart for apart, _ in seen.values() if apart is not None]).mean()
        style_term = torch.stack([apart for _, apart in seen.values()]).mean()
        return Terms(content, style_term, total_variation(painted) / LEVELS)

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
            content = F.mse_loss(normalized(features, FLOOR), self.arrangement[self.layer].float())
        far = relative_distance(gram_matrix(features), self.style.grams[self.layer].float())
        for own, wanted in zip(moments(features), self.style.moments[self.layer], strict=True):
            far = far + MOMENTS_SHARE * relative_distance(own, wanted)
        return content, far
