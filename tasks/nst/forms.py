"""The two forms of the objective: what their distances are taken of, and what they are relative to.

`CLASSIC` is that of Gatys, Ecker, Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016): mean
squared differences, in the scale of the features. The style loss of a loud style is a hundred times that of a pale one,
so that every style needs a weight of its own.

`BALANCED` has no scale. Its content distance is the structure that is lost, and leaves the channels' levels to the
style; its style distance is a share of the style's own norm. The square root in that norm matters: it pulls as hard at
the last tenth of the way as at the first, and at each layer alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stylebatch.tasks.nst.structure import TINY, normalized
from stylebatch.tasks.nst.style_distance import relative_distance

# Of the content loss, where both weights are 1: the trade that looks best, see the benchmarks.
CONTENT_SHARE = 0.5
# See `normalized`: a hundredth leaves all channels as they are but those with nothing in them.
FLOOR = 0.01


@dataclass(frozen=True)
class Form:
    """How the distances of an objective are made.

    Attributes:
        view: of features (1, C, H, W), what the content distance compares.
        content: from two views, the distance, a scalar.
        style: from Gram matrices, of the picture and of the style, both (C, C), the distance, a scalar.
        content_each, style_each: both for N pictures at once, the distance of each: (N,).
        content_weight: of a layer, from its own weight times that of the content, and the sum of the layers' own.
        style_weight: of a layer, from its own weight times that of the style, the sum of the layers' own, and the
            number of its channels.
    """

    view: Callable[[Tensor], Tensor]
    content: Callable[[Tensor, Tensor], Tensor]
    style: Callable[[Tensor, Tensor], Tensor]
    content_each: Callable[[Tensor, Tensor], Tensor]
    style_each: Callable[[Tensor, Tensor], Tensor]
    content_weight: Callable[[float, float], float]
    style_weight: Callable[[float, float, int], float]


def as_they_are(features: Tensor) -> Tensor:
    """The features themselves, in float32."""
    return features.float()


def without_levels(features: Tensor) -> Tensor:
    """The features with each channel at mean 0 and standard deviation 1."""
    return normalized(features, FLOOR)


def lost_structure(view: Tensor, content: Tensor) -> Tensor:
    """One minus the mean over the positions of the cosine between the channel vectors (1, C, H, W): see `structure`.

    An even sky counts as much as the crowd below it, which a mean of squares would not let it: its vectors are short.

    Returns:
        0 for the content itself, about 1 for an unrelated picture.
    """
    return 1 - _correlations(view, content).mean()


def lost_structures(views: Tensor, contents: Tensor) -> Tensor:
    """`lost_structure` of each of several pictures: (N, C, H, W) each, to (N,)."""
    return 1 - _correlations(views, contents).mean((1, 2))


def _correlations(views: Tensor, contents: Tensor) -> Tensor:
    """The cosine at each position, (N, H, W)."""
    lengths = torch.linalg.vector_norm(views, dim=1) * torch.linalg.vector_norm(contents, dim=1)
    # Written out, which takes half the time of torch's own cosine.
    correlations: Tensor = (views * contents).sum(1) / lengths.clamp_min(TINY)
    return correlations


def mean_squares(one: Tensor, other: Tensor) -> Tensor:
    """The mean squared difference of each of several, (N, …) each, to (N,)."""
    return F.mse_loss(one, other, reduction="none").flatten(1).mean(1)


CLASSIC = Form(
    view=as_they_are,
    content=F.mse_loss,
    style=F.mse_loss,
    content_each=mean_squares,
    style_each=mean_squares,
    content_weight=lambda weight, total: weight,
    style_weight=lambda weight, total, channels: weight / channels**2,
)
BALANCED = Form(
    view=without_levels,
    content=lost_structure,
    style=relative_distance,
    content_each=lost_structures,
    style_each=relative_distance,
    content_weight=lambda weight, total: CONTENT_SHARE * weight / total,
    style_weight=lambda weight, total, channels: weight / total,
)
FORMS: Mapping[str, Form] = {"balanced": BALANCED, "classic": CLASSIC}
