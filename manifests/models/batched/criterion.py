"""What a batch's training minimizes: `stylebatch.tasks.nst.criterion` as the mean over the samples."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from stylebatch.tasks.nst.condition import LOOKED_AT, moments
from stylebatch.tasks.nst.criterion import MOMENTS_SHARE, Criterion, Terms
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.goals import CONTENT_LAYERS, Features, Style
from stylebatch.tasks.nst.losses import gram_matrices, total_variation


class BatchedCriterion(Criterion):
    """The criterion of pictures that are looked at together."""

    def terms(self, encoder: Encoder, painted: Tensor, arrangement: Features, style: Style) -> Terms:
        """How far painted pictures (N, 3, H, W), RGB in [0, 1], are from what was wanted of them, on the mean."""

        def at(layer: str) -> Callable[[Tensor], tuple[Tensor | None, Tensor]]:
            def apart(features: Tensor) -> tuple[Tensor | None, Tensor]:
                content = None
                if layer in CONTENT_LAYERS:
                    content = BALANCED.content(BALANCED.view(features), arrangement[layer])
                far = BALANCED.style(gram_matrices(features), style.grams[layer])  # (N,)
                for own, wanted in zip(moments(features), style.moments[layer], strict=True):
                    far = far + MOMENTS_SHARE * BALANCED.style(own[:, None], wanted[:, None])  # of (N, 1, C)
                return content, far.mean()

            return apart

        seen = encoder(painted, {layer: at(layer) for layer in LOOKED_AT})
        content = torch.stack([apart for apart, _ in seen.values() if apart is not None]).mean()
        return Terms(content, torch.stack([apart for _, apart in seen.values()]).mean(), total_variation(painted))
