"""The samples of a step: crops of contents, crops of styles, and what is wanted of each pair."""

from __future__ import annotations

import torch
from torch import Tensor

from batched.crops import Crops
from batched.goals import blended, neighbours, styles_of
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.goals import CONTENT_LAYERS, Style, look
from stylebatch.tasks.training.samples import LIGHT, MIXED, STYLE_LIGHT, Sample

BLENDED = 0.2  # share of the samples whose style is a blend of two


class Samples:
    """Batches of samples, from pictures that lie on a device.

    A user may ask for blends and for a part of the strength, so the network learns both: some styles are blended with
    another of the batch, and some are wanted in part, with the rest left as the content has it.  All that a network is
    told and all that is wanted of it is averaged alike.  There are more styles to learn from for it, too.
    """

    def __init__(self, contents: Crops, styles: Crops, encoder: Encoder) -> None:
        self._contents, self._styles, self._encoder = contents, styles, encoder

    def draw(self, count: int, side: int) -> Tensor:
        """Where so many contents and styles are: (2, `NUMBERS`, count), int64, on the processor."""
        return torch.stack([crops.draw(count, side) for crops in (self._contents, self._styles)])

    @torch.no_grad()
    def at(self, places: Tensor, side: int) -> Sample:
        """The samples at ``places`` (2, `NUMBERS`, N), on the device; each of their tensors is of all N."""
        contents = self._contents.cut(places[0], side, LIGHT)
        seen = look(self._encoder, contents)
        style = self.styles(places[1], side)
        style = blended(style, neighbours(style), _some(BLENDED, style.condition, otherwise=0.0))
        style = blended(styles_of(seen, contents), style, _some(MIXED, style.condition, otherwise=1.0))
        return Sample(contents, {layer: BALANCED.view(seen[layer]) for layer in CONTENT_LAYERS}, style)

    @torch.no_grad()
    def styles(self, places: Tensor, side: int) -> Style:
        """What makes the styles of crops of style pictures at ``places`` (`NUMBERS`, N), on the device."""
        pictures = self._styles.cut(places, side, STYLE_LIGHT)
        return styles_of(look(self._encoder, pictures), pictures)

    def told(self, count: int, side: int) -> Tensor:
        """Conditions (count, `condition.WIDTH`) of so many crops of style pictures."""
        return self.styles(self._styles.draw(count, side).to(self._encoder.mean.device), side).condition


def _some(share: float, like: Tensor, otherwise: float) -> Tensor:
    """Numbers (N,) of which this share is uniform in [0, 1), and the rest another number."""
    drawn, chosen = torch.rand(2, len(like), device=like.device)
    return torch.where(chosen < share, drawn, torch.full_like(drawn, otherwise))
