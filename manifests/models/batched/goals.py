"""What makes the styles of a batch of pictures, and blends of them: `stylebatch.tasks.nst.goals`, for many at once.

A `Style` stands for those of all N pictures here: Gram matrices (N, C, C), means and standard
deviations (N, C), and conditions (N, `condition.WIDTH`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from stylebatch.tasks.nst.condition import LOOKED_AT, condition_of, moments
from stylebatch.tasks.nst.goals import Features, Style
from stylebatch.tasks.nst.losses import gram_matrices


def styles_of(features: Features, pictures: Tensor) -> Style:
    """What makes the styles of pictures (N, 3, H, W) with these features."""
    grams = {layer: gram_matrices(features[layer]) for layer in LOOKED_AT}
    return Style(grams, {layer: moments(features[layer]) for layer in LOOKED_AT}, condition_of(features, pictures))


def blended(styles: Style, others: Style, shares: Tensor) -> Style:
    """Each style with the share (N,) of another's in it: 0 is the one, 1 the other."""
    return _each(partial(_between, shares), styles, others)


def neighbours(styles: Style) -> Style:
    """For each style, the one before it in the batch."""
    return _each(lambda one: one.roll(1, 0), styles)


def _between(shares: Tensor, one: Tensor, other: Tensor) -> Tensor:
    return torch.lerp(one, other, shares.view(-1, *[1] * (one.dim() - 1)))


def _each(make: Callable[..., Tensor], *styles: Style) -> Style:
    """The style whose tensors are made of those of some styles."""

    def pair(layer: str) -> tuple[Tensor, Tensor]:
        mean, deviation = (make(*each) for each in zip(*(style.moments[layer] for style in styles), strict=True))
        return mean, deviation

    return Style(
        {layer: make(*(style.grams[layer] for style in styles)) for layer in LOOKED_AT},
        {layer: pair(layer) for layer in LOOKED_AT},
        make(*(style.condition for style in styles)),
    )
