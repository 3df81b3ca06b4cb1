"""What each step of a training looks at: a crop of a photograph, and a style, as chance has them appear.

A crop's features and a style's Gram matrices cost as much as a quarter of a step. So they are drawn from a window of
numbered variants that moves on slowly, each of which several samples meet, and which are kept in memory meanwhile. A
variant follows from its number alone, and a sample from its own: what was dropped is made again just as it was.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.goals import Features, Style, arrangement_of, between, look, style_of
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.stylizing.objective import to_tensor
from stylebatch.tasks.training.request import Request

T = TypeVar("T")
# Of contents and of styles: how many variants are drawn from at a time, and how many a sample are new among them.
# About 0.7 MB each of both; for a network that is tuned, of contents 4 MB.
CONTENTS, NEW_CONTENTS = 400, 0.15
TUNED_CONTENTS, NEW_TUNED_CONTENTS = 100, 0.3
STYLES, NEW_STYLES = 400, 0.05
SCALES = 16  # variants of the one style that a network is tuned to: it is seen larger and smaller, and as it is
# Pixels at most of a content's sides. Many styles are learned by many small samples. A network that is tuned knows how
# to paint, and what is left to learn are the statistics of whole pictures.
CROP, TUNED_CROP = 112, 256
STYLE_CROP = 224  # and of a style's, among many
ENLARGED = 1.2  # how far a picture may be enlarged beyond its own pixels
MIXED = 1 / 8  # share of the samples in which the style is wanted in part
LIGHT, STYLE_LIGHT = 0.1, 0.15  # how far the light changes, as standard deviations of logarithms
SWAPPED = 0.15  # share of the variants whose primary colours change places


@dataclass(frozen=True)
class Sample:
    """One content and what is wanted of it.

    Attributes:
        content: (1, 3, H, W), RGB in [0, 1].
        arrangement: what is to be kept of it.
        style: what it is to have.
    """

    content: Tensor
    arrangement: Features
    style: Style


class Samples:
    """The samples of a training, each by its number. Threads may draw at once.

    Args:
        encoder: what the features are of.
    """

    def __init__(
        self, request: Request, contents: Sequence[Image.Image], styles: Sequence[Image.Image], encoder: Encoder
    ):
        self._contents, self._styles = contents, styles
        self._encoder, self._device = encoder, str(encoder.mean.device)
        self._sides, self._scale = request.longer_sides, request.settings.style_scale
        self._seed, self._size = request.settings.seed, request.size
        if request.is_tuning:
            self._longest = min(TUNED_CROP, self._size)
            self._crops = _Window(self._crop, TUNED_CONTENTS, NEW_TUNED_CONTENTS)
            self._looks = _Window(self._scaled, SCALES, 0)
        else:
            self._longest = min(CROP, self._size)
            self._crops = _Window(self._crop, CONTENTS, NEW_CONTENTS)
            self._looks = _Window(self._look, STYLES, NEW_STYLES)

    def draw(self, number: int) -> Sample:
        """The sample with this number."""
        chance = self._chance("sample", number)
        pixels, arrangement = self._crops.draw(number, chance)
        style = self._looks.draw(number, chance)
        content = pixels.to(self._device).float() / 255
        if chance.random() < MIXED:
            own = style_of(look(self._encoder, content), content)
            style = between(own, style, chance.random())
        return Sample(content, arrangement, style)

    def styles(self, count: int) -> list[Style]:
        """The first variants of styles."""
        return [self._looks.get(number) for number in range(count)]

    def _chance(self, what: str, number: int) -> Random:
        return Random(f"{self._seed} {what} {number}")

    def _longer(self, chance: Random, picture: Image.Image, scale: float = 1.0) -> float:
        smallest, largest = (scale * side for side in self._sides)
        return longer_side(chance, max(picture.size), smallest, largest)

    def _crop(self, number: int) -> tuple[Tensor, Features]:
        """A content's 8-bit pixels (1, 3, H, W) and its features."""
        chance = self._chance("content", number)
        picture = chance.choice(self._contents)
        picture = part(resize(picture, self._longer(chance, picture)), self._longest, chance)
        pixels = (255 * _relit(flipped(picture, chance), chance, LIGHT)).round().byte()
        content = pixels.to(self._device).float() / 255
        return pixels, arrangement_of(look(self._encoder, content))

    def _look(self, number: int) -> Style:
        """One of many styles."""
        chance = self._chance("style", number)
        picture = chance.choice(self._styles)
        picture = part(resize(picture, self._longer(chance, picture, self._scale)), STYLE_CROP, chance)
        return self._style(_relit(flipped(picture, chance), chance, STYLE_LIGHT))

    def _scaled(self, number: int) -> Style:
        """The style that a network is tuned to: whole, in its own colours, at one of the scales."""
        smallest, largest = (self._scale * side for side in self._sides)
        longer = smallest * (largest / smallest) ** ((number + 0.5) / SCALES)
        return self._style(to_tensor(resize(self._styles[0], longer), "cpu"))

    def _style(self, picture: Tensor) -> Style:
        picture = picture.to(self._device)
        return style_of(look(self._encoder, picture), picture).packed()


class _Window(Generic[T]):
    """Numbered variants, of which each sample draws one of the last few.

    Args:
        make: the variant with a number.
        width: how many are drawn from at a time.
        new: how many a sample come to them, and as many are dropped.
    """

    def __init__(self, make: Callable[[int], T], width: int, new: float) -> None:
        self._make, self._width, self._new = make, width, new
        self._held: dict[int, T] = {}
        self._lock = threading.Lock()

    def draw(self, sample: int, chance: Random) -> T:
        """One of the variants that are there for a sample."""
        first = int(self._new * sample)
        found = self.get(first + chance.randrange(self._width))
        with self._lock:
            for gone in [number for number in self._held if number < first]:
                del self._held[gone]
        return found

    def get(self, number: int) -> T:
        """The variant with this number, made unless it is held. Two threads may both make it, and the same."""
        with self._lock:
            found = self._held.get(number)
        if found is None:
            found = self._make(number)
            with self._lock:
                self._held[number] = found
        return found


def longer_side(chance: Random, own: int, smallest: float, largest: float) -> float:
    """A longer side between these two, every octave as likely, of a picture whose own is this."""
    longer = math.exp(chance.uniform(math.log(smallest), math.log(largest)))
    return min(longer, max(smallest, ENLARGED * own))


def part(picture: Image.Image, longest: int, chance: Random) -> Image.Image:
    """A part of a picture with no side longer than this."""
    width, height = (min(side, longest) for side in picture.size)
    left, top = chance.randint(0, picture.width - width), chance.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def flipped(picture: Image.Image, chance: Random) -> Tensor:
    """A picture, or its mirror image, as (1, 3, H, W)."""
    turned = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if chance.random() < 0.5 else picture
    return to_tensor(turned, "cpu")


def _relit(picture: Tensor, chance: Random, amount: float) -> Tensor:
    """A picture in other light, since there are fewer pictures than there is light."""
    exposure = chance.gauss(0, amount)
    gains = torch.tensor([math.exp(exposure + chance.gauss(0, amount)) for _ in range(3)])
    lit = (picture * gains.view(1, 3, 1, 1) + chance.gauss(0, amount / 2)).clamp(0, 1)
    if chance.random() < SWAPPED:
        lit = lit[:, chance.sample(range(3), 3)]
    return lit.contiguous()
