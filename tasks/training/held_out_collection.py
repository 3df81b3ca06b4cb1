"""How a network does that is to paint as a collection does: on photographs, and against paintings, that it never saw.

There is no painting that a result should look like. So the results are compared with the paintings as sets, by
`frechet`, and by how far their Gram matrices are from the mean ones of the paintings.
"""

from __future__ import annotations

from statistics import fmean

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.nst import frechet
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.figures import (
    DISTANCE_LAYERS,
    LAYERS,
    LONGER_SIDE,
    STRUCTURE_LAYER,
    Reference,
    figures_of,
)
from stylebatch.tasks.nst.frechet import Gaussian, cells, frechet_distance, gaussian_of
from stylebatch.tasks.nst.losses import gram_matrix, mean_grams
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.stylizing.objective import to_picture, to_tensor
from stylebatch.tasks.training.course import Judgement
from stylebatch.tasks.training.photographs import Photographs
from stylebatch.tasks.training.sheet import sheet

PREVIEW = 6  # photographs, and paintings beside them


class HeldOutCollection:
    """Photographs and paintings to judge by.

    Args:
        size: longer side in pixels that is trained for, and ``style_scale`` as in the settings.
        dtype: of the network's features; pictures are judged in float32.
    """

    def __init__(
        self, photographs: Photographs, size: int, style_scale: float, dtype: torch.dtype, device: str
    ) -> None:
        self._encoder, self._dtype = Encoder({*LAYERS, frechet.LAYER}, device=device), dtype
        longer = min(size, LONGER_SIDE)
        self._contents = [to_tensor(resize(one, longer), device) for one in photographs.held_out]
        self._paintings = [to_tensor(resize(one, longer * style_scale), device) for one in photographs.held_out_styles]
        with torch.no_grad():
            self._mean = mean_grams(
                self._encoder(one, dict.fromkeys(DISTANCE_LAYERS, gram_matrix)) for one in self._paintings
            )
            self._kept = [self._encoder(one, {STRUCTURE_LAYER: Tensor.detach}) for one in self._contents]
        self._wanted = self._gaussian(self._paintings)
        self._far = frechet_distance(self._gaussian(self._contents), self._wanted)

    def __len__(self) -> int:
        """How many photographs there are."""
        return len(self._contents)

    def _gaussian(self, pictures: list[Tensor]) -> Gaussian:
        return gaussian_of(cells(self._encoder, one) for one in pictures)

    @torch.no_grad()
    def judge(self, network: CollectionNetwork) -> Judgement:
        """How the network's pictures do, as they would be written."""
        painted = [(network(one, self._dtype) * 255).round() / 255 for one in self._contents]
        figures = [
            figures_of(self._encoder(one, Reference(kept[STRUCTURE_LAYER], self._mean).looks))
            for one, kept in zip(painted, self._kept, strict=True)
        ]
        return Judgement(
            frechet_distance(self._gaussian(painted), self._wanted) / self._far,
            fmean(one.structure for one in figures),
            fmean(one.style_distance for one in figures),
        )

    @torch.no_grad()
    def preview(self, network: CollectionNetwork) -> Image.Image:
        """Some photographs, what the network makes of them, and some paintings, a row each."""
        contents = self._contents[:PREVIEW]
        longer = max(max(one.shape[-2:]) for one in contents)
        painted = [network(one, self._dtype) for one in contents]
        paintings = [resize(to_picture(one), longer) for one in self._paintings[: len(contents)]]
        blank = [Image.new("RGB", (longer, longer), "white")] * (len(contents) - len(paintings))
        return sheet([list(map(to_picture, contents)), list(map(to_picture, painted)), [*paintings, *blank]], longer)
