"""What tells pictures of one kind from those that a network has made, by what frozen features show of them.

After Sauer, Chitta, Müller, Geiger, "Projected GANs Converge Faster" (NeurIPS 2021): a critic that looks at the
features of a trained network, at several depths and with a head at each, learns from some dozen pictures what one that
looks at pixels (Isola, Zhu, Zhou, Efros, CVPR 2017) needs thousands for, and does not know them by heart as soon. Each
value of a head sees a patch, so that strokes, edges and colours are judged, and hardly the motif. Here the features are
those of VGG-19, which are not projected at random as theirs are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from stylebatch.tasks.nst.encoder import Encoder

# The layers of VGG-19 that are looked at, and the widths of their features.
JUDGED = {"relu1_2": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512}
WIDTH = 64  # channels of a head
SLOPE = 0.2  # of the leaky ReLU
DEVIATION = 0.05  # of the weights in the beginning
LEAST = 0.01  # added to the deviations of features, by which they are divided
SHORTEST = 32  # pixels of a side, below which the deepest head would have nothing to normalize
Moments = tuple[Tensor, Tensor]  # mean and standard deviation of each channel, (1, C) each


class FeatureCritic(nn.Module):
    """A head at each of the layers `JUDGED`.

    Args:
        usual: the moments of the features of what is real, at each layer.
        width: channels of a head.
    """

    def __init__(self, usual: Mapping[str, Moments], width: int = WIDTH) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({layer: _Head(usual[layer], width) for layer in JUDGED})

    def forward(self, pictures: Tensor, encoder: Encoder) -> Sequence[Tensor]:
        """What each patch of pictures (N, 3, H, W), RGB in [0, 1], is taken for, 1 real and 0 made.

        Args:
            encoder: of VGG-19, which has the layers; all critics look through the same one.

        Returns:
            (N, 1, h, w) of each head.
        """
        seen = encoder(pictures, dict.fromkeys(JUDGED, Tensor.float))
        return [head(seen[layer]) for layer, head in self.heads.items()]


class _Head(nn.Module):
    """Four convolutions, one of which halves the sides, behind features that are brought to usual ones of 0 ± 1."""

    def __init__(self, usual: Moments, width: int) -> None:
        super().__init__()
        mean, deviation = (one.detach()[..., None, None] for one in usual)  # (1, C, 1, 1)
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", mean.clone())
        self.register_buffer("deviation", deviation + LEAST)
        self.first = nn.Conv2d(mean.shape[1], width, 1)
        self.halving = nn.Conv2d(width, width, 4, stride=2, padding=1, bias=False)  # it is normalized
        self.third = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, 1, 3, padding=1)
        for convolution in (self.first, self.halving, self.third, self.last):
            nn.init.normal_(convolution.weight, std=DEVIATION)
            if convolution.bias is not None:
                nn.init.zeros_(convolution.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, 1, h / 2, w / 2)."""
        x = F.leaky_relu(self.first((features - self.mean) / self.deviation), SLOPE)
        x = F.leaky_relu(F.instance_norm(self.halving(x)), SLOPE)
        given: Tensor = self.last(F.leaky_relu(self.third(x), SLOPE))
        return given
