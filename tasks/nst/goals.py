"""What a network has to reach in a training: the arrangement of a content, and what makes a style, by features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from stylebatch.tasks.nst.condition import LOOKED_AT, condition_of, moments
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.losses import gram_matrix

CONTENT_LAYERS = ("relu3_1", "relu4_1")
Features = Mapping[str, Tensor]  # name of a layer to (1, C, h, w)


@dataclass(frozen=True)
class Style:
    """What is wanted of a style, at each layer of `LOOKED_AT`, and what the network is told of it.

    Attributes:
        grams: (C, C) each.
        moments: means and standard deviations of the channels, (1, C) each.
        condition: (1, `condition.WIDTH`).
    """

    grams: Mapping[str, Tensor]
    moments: Mapping[str, tuple[Tensor, Tensor]]
    condition: Tensor

    def packed(self) -> Style:
        """The same with the matrices in half of the memory, in the format of half the bits that has their range."""
        grams = {layer: gram.bfloat16() for layer, gram in self.grams.items()}
        return Style(grams, self.moments, self.condition)


@torch.no_grad()
def look(encoder: Encoder, picture: Tensor) -> Features:
    """The features of a picture (1, 3, H, W), RGB in [0, 1], that everything here is made of."""
    features: Features = encoder(picture, dict.fromkeys(LOOKED_AT, Tensor.detach))
    return features


def style_of(features: Features, picture: Tensor) -> Style:
    """What makes the style of a picture (1, 3, H, W) with these features."""
    grams = {layer: gram_matrix(features[layer]) for layer in LOOKED_AT}
    return Style(grams, {layer: moments(features[layer]) for layer in LOOKED_AT}, condition_of(features, picture))


def arrangement_of(features: Features) -> Features:
    """What is wanted of a content: its normalized features at `CONTENT_LAYERS`, in half precision."""
    return {layer: BALANCED.view(features[layer]).half() for layer in CONTENT_LAYERS}


def between(own: Style, style: Style, strength: float) -> Style:
    """What is wanted where a style is to be taken on in part.

    Args:
        own: what makes the content's own look, which is kept at a strength of 0.
        strength: in [0, 1]; at 1 the style is wanted as it is.
    """
    return Style(
        {layer: torch.lerp(own.grams[layer].float(), style.grams[layer].float(), strength) for layer in LOOKED_AT},
        {layer: _between(own.moments[layer], style.moments[layer], strength) for layer in LOOKED_AT},
        torch.lerp(own.condition, style.condition, strength),
    )


def _between(own: tuple[Tensor, Tensor], style: tuple[Tensor, Tensor], strength: float) -> tuple[Tensor, Tensor]:
    mean, deviation = (torch.lerp(a, b, strength) for a, b in zip(own, style, strict=True))
    return mean, deviation
