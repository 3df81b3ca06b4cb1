"""Two figures that say what a stylized picture is worth: how much of its content it keeps, and how far its style is.

No loss looks at their layers unless it is told to, and neither has a unit, so that they compare across styles, settings
and ways of making a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from stylebatch.tasks.nst.guidance import guided_distance, regions_at
from stylebatch.tasks.nst.losses import gram_matrix
from stylebatch.tasks.nst.structure import structure
from stylebatch.tasks.nst.style_distance import relative_distance

STRUCTURE_LAYER = "relu4_1"
DISTANCE_LAYERS = ("relu1_2", "relu2_2", "relu3_2", "relu4_2", "relu5_2")
LAYERS = (STRUCTURE_LAYER, *DISTANCE_LAYERS)
LONGER_SIDE = 256  # in pixels, at which pictures are judged, or their own where that is smaller


@dataclass(frozen=True)
class Figures:
    """What a picture is worth.

    Attributes:
        structure: 1 for the content itself; see `structure`.
        style_distance: 0 for the style itself; see `style_distance`.
    """

    structure: float
    style_distance: float


@dataclass(frozen=True)
class Reference:
    """What a picture is judged by.

    Attributes:
        content: features of the content at `STRUCTURE_LAYER`, (1, C, h, w), of the picture's shape.
        style: by layer of `DISTANCE_LAYERS`, the Gram matrix (C, C); where there are masks, one for each, (R, C, C).
        masks: (R, H, W), of the picture's shape, from `normalize_masks`; without them, the style is everywhere.
        strengths: of the R styles.
    """

    content: Tensor
    style: Mapping[str, Tensor]
    masks: Tensor | None = None
    strengths: Sequence[float] = ()

    @property
    def looks(self) -> dict[str, Callable[[Tensor], float]]:
        """What an encoder is to do with a picture's features at each of `LAYERS`."""
        distances = {layer: partial(self._distance, style) for layer, style in self.style.items()}
        return {STRUCTURE_LAYER: partial(structure, content=self.content), **distances}

    def _distance(self, style: Tensor, features: Tensor) -> float:
        if self.masks is None:
            return relative_distance(gram_matrix(features), style).item()
        regions = regions_at(self.masks, self.strengths, *features.shape[-2:])
        whole = sum(region.weight for region in regions)
        return guided_distance(features, regions, style, relative_distance).item() / whole if whole else 0.0


def figures_of(seen: Mapping[str, float]) -> Figures:
    """The figures, from what came of a reference's ``looks``."""
    distances = [seen[layer] for layer in DISTANCE_LAYERS]
    return Figures(seen[STRUCTURE_LAYER], sum(distances) / len(distances))
