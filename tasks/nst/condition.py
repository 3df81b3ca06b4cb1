"""What the network for any style is told of a style: one vector, computed once a style, that can be averaged.

It holds the moments of the style's features in VGG-19 and the `ground`'s statistics of its colours. Means and standard
deviations of features are what the first network for any style was told of one (Huang, Belongie, "Arbitrary Style
Transfer in Real-time with Adaptive Instance Normalization", ICCV 2017, eq. 8); they are told by their logarithms, since
they range over four decades.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.ground import STATISTICS, statistics

# The layers of VGG-19 that are looked at, and the widths of their features.
LOOKED_AT = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512}
MOMENTS = 2 * sum(LOOKED_AT.values())
WIDTH = MOMENTS + STATISTICS


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel over the positions: (N, C, h, w) -> (N, C) twice, float32."""
    features = features.float()
    return features.mean((2, 3)), (features.var((2, 3), correction=0) + 1e-5).sqrt()


def condition_of(features: Mapping[str, Tensor], picture: Tensor) -> Tensor:
    """The condition (N, `WIDTH`) of pictures (N, 3, H, W), given their features at the layers of `LOOKED_AT`."""
    told = [(one + 1).log() for layer in LOOKED_AT for one in moments(features[layer])]  # (N, C) each
    return torch.cat([*told, statistics(picture)], 1)


@torch.no_grad()
def look_at(encoder: Encoder, picture: Tensor) -> Tensor:
    """The condition (1, `WIDTH`) of a picture (1, 3, H, W), RGB in [0, 1]."""
    return condition_of(encoder(picture, dict.fromkeys(LOOKED_AT, Tensor.detach)), picture)
