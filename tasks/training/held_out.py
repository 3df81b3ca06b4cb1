"""How a network does on pictures that it has not learned from, as they are written and as people would see them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.nst.any_style import AnyStyleNetwork
from stylebatch.tasks.nst.condition import LOOKED_AT
from stylebatch.tasks.nst.criterion import Criterion
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.figures import (
    DISTANCE_LAYERS,
    LAYERS,
    LONGER_SIDE,
    STRUCTURE_LAYER,
    Reference,
    figures_of,
)
from stylebatch.tasks.nst.goals import Features, Style, arrangement_of, look, style_of
from stylebatch.tasks.nst.losses import gram_matrix
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.stylizing.objective import to_picture, to_tensor
from stylebatch.tasks.training.course import Judgement
from stylebatch.tasks.training.photographs import Photographs
from stylebatch.tasks.training.sheet import sheet

PREVIEW = 4  # contents, and styles, of a preview


@dataclass(frozen=True)
class _Content:
    picture: Tensor  # (1, 3, H, W)
    features: Features


@dataclass(frozen=True)
class _Wanted:
    picture: Tensor  # (1, 3, H, W)
    style: Style
    grams: Features  # at DISTANCE_LAYERS


class HeldOut:
    """Contents and styles to judge by, in pairs.

    Args:
        size: longer side in pixels that is trained for, and ``style_scale`` as in the settings.
        criterion: of the training.
        dtype: of the network's features; pictures are judged in float32.
    """

    def __init__(
        self,
        photographs: Photographs,
        size: int,
        style_scale: float,
        criterion: Criterion,
        dtype: torch.dtype,
        device: str,
    ) -> None:
        self._encoder = Encoder({*LOOKED_AT, *LAYERS}, device=device)
        self._criterion, self._dtype = criterion, dtype
        longer = min(size, LONGER_SIDE)
        self._contents = [self._content(to_tensor(resize(one, longer), device)) for one in photographs.held_out]
        self._styles = [
            self._wanted(to_tensor(resize(one, longer * style_scale), device)) for one in photographs.held_out_styles
        ]

    def __len__(self) -> int:
        """How many contents there are."""
        return len(self._contents)

    def _content(self, picture: Tensor) -> _Content:
        return _Content(picture, look(self._encoder, picture))

    @torch.no_grad()
    def _wanted(self, picture: Tensor) -> _Wanted:
        style = style_of(look(self._encoder, picture), picture)
        return _Wanted(picture, style, self._encoder(picture, dict.fromkeys(DISTANCE_LAYERS, gram_matrix)))

    @torch.no_grad()
    def paint(self, network: AnyStyleNetwork, picture: Tensor, style: int = 0) -> Tensor:
        """A picture (1, 3, H, W), RGB in [0, 1], in one of the styles; the same shape and range."""
        painted: Tensor = network(picture, self._styles[style].style.condition, self._dtype)
        return painted

    def judge(self, network: AnyStyleNetwork) -> Judgement:
        """How the network's pictures do, as they would be written: each content and each style once or more."""
        pairs = range(max(len(self._contents), len(self._styles)))
        judged = [self._judge(network, pair % len(self._contents), pair % len(self._styles)) for pair in pairs]
        return Judgement(
            fmean(one.loss for one in judged),
            fmean(one.structure for one in judged),
            fmean(one.style_distance for one in judged),
        )

    @torch.no_grad()
    def _judge(self, network: AnyStyleNetwork, content: int, style: int) -> Judgement:
        kept, wanted = self._contents[content], self._styles[style]
        painted = (self.paint(network, kept.picture, style) * 255).round() / 255
        terms = self._criterion.terms(self._encoder, painted, arrangement_of(kept.features), wanted.style)
        reference = Reference(kept.features[STRUCTURE_LAYER], wanted.grams)
        figures = figures_of(self._encoder(painted, reference.looks))
        return Judgement(self._criterion.total(terms).item(), figures.structure, figures.style_distance)

    def preview(self, network: AnyStyleNetwork) -> Image.Image:
        """Some contents, a row each, in some styles, a column each, with the styles above them."""
        styles = range(len(self._styles[:PREVIEW]))
        longer = max(self._contents[0].picture.shape[-2:])
        above = [Image.new("RGB", (longer, longer), "white")]
        above += [resize(to_picture(self._styles[style].picture), longer) for style in styles]
        rows = [above]
        for content in self._contents[:PREVIEW]:
            painted = [self.paint(network, content.picture, style) for style in styles]
            rows.append([to_picture(one) for one in (content.picture, *painted)])
        return sheet(rows, longer)
