"""Pictures at many scales in the device's memory, and crops of them, cut by one gather.

To decode and to resize are a processor's work, and would keep a GPU waiting at every step.  So each
picture is resized once, to scales a third of an octave apart, and all pixels of all of them lie
behind one another in one flat tensor.  A crop is nothing but numbers then: where it begins, how long
a row is, and what is done to it.  Those numbers are a batch's only input, of one shape for all
crops of one size, whatever picture and scale they are of.  That is what a CUDA graph asks for: it
does the same each time, with the same memory.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.training.samples import SWAPPED

STEP = 2 ** (1 / 3)  # from one scale to the next
WIDEST = 2.05  # shorter side of the largest scale that a crop is cut from, in sides of the crop
# How far a picture may be enlarged beyond its own pixels: more where the largest crops would have none of it else.
ENLARGED, ENLARGED_SMALL = 1.25, 1.7
NUMBERS = 8  # that a crop is told by

Pixels = NDArray[np.uint8]  # (H, W, 3)
Level = tuple[int, int, int]  # where its first value lies, height, width


class Crops:
    """Pictures on a device, and random crops of them.

    Args:
        files: of the pictures; one that is too small for the smallest crop is never seen.
        sides: in pixels, of the crops that will be asked for.
        chance: what the crops are drawn by.

    Raises:
        BadInput: a picture cannot be read, or all of them are too small for one of the sides.
    """

    def __init__(self, files: Sequence[Place], sides: Collection[int], device: str, chance: Random) -> None:
        self._device, self._chance = device, chance
        with ThreadPoolExecutor() as threads:
            pictures = list(threads.map(partial(_scales, sides=sides), files))
        begin, flat = 0, []
        levels: list[list[Level]] = []
        for scales in pictures:
            levels.append([])
            for pixels in scales:
                levels[-1].append((begin, *pixels.shape[:2]))
                flat.append(pixels.reshape(-1))
                begin += pixels.size
        self._fitting = {side: [fit for one in levels if (fit := _fitting(one, side))] for side in sides}
        for side, fitting in self._fitting.items():
            if not fitting:
                raise BadInput(
                    f"none of {len(files)} pictures is large enough for crops of {side} px: give larger ones"
                )
        self._flat = torch.from_numpy(np.concatenate(flat)).to(device)

    def draw(self, count: int, side: int) -> Tensor:
        """Where some crops are, as `cut` takes it: (`NUMBERS`, count), int64, on the processor."""
        return torch.tensor([self._draw(side) for _ in range(count)]).T.contiguous()

    def _draw(self, side: int) -> tuple[int, ...]:
        """One crop: where its level begins, how wide that is, top, left, whether it is mirrored, and its channels."""
        chance = self._chance
        begin, height, width = chance.choice(chance.choice(self._fitting[side]))
        top, left = chance.randrange(height - side + 1), chance.randrange(width - side + 1)
        mirrored = chance.random() < 0.5
        channels = chance.sample(range(3), 3) if chance.random() < SWAPPED else range(3)
        return (begin, width, top, left, mirrored, *channels)

    def cut(self, places: Tensor, side: int, light: float) -> Tensor:
        """The crops at ``places`` (`NUMBERS`, N), on the device, in other light: (N, 3, side, side), RGB in [0, 1].

        Args:
            light: how far it changes, as the standard deviation of logarithms: of the exposure, and of each channel
                by itself. Half as much is added or taken away everywhere.
        """
        count = places.shape[1]
        begin, width, top, left, mirrored = (number.view(-1, 1, 1, 1) for number in places[:5])
        channels = places[5:].T.reshape(count, 3, 1, 1)
        y = torch.arange(side, device=self._device).view(1, 1, side, 1)
        x = torch.arange(side, device=self._device).view(1, 1, 1, side)
        x = torch.where(mirrored == 1, side - 1 - x, x)
        cut = self._flat[begin + 3 * ((top + y) * width + left + x) + channels].float() / 255
        if not light:
            return cut
        exposure, gains, shift = (self._normal(count, channels) for channels in (1, 3, 1))
        return (cut * (light * (exposure + gains)).exp() + light / 2 * shift).clamp(0, 1)

    def _normal(self, count: int, channels: int) -> Tensor:
        return torch.randn(count, channels, 1, 1, device=self._device)


def _scales(file: Place, sides: Collection[int]) -> list[Pixels]:
    """A picture at all scales that crops of these sides can be cut from."""
    picture = load_picture(file)
    own, found, shorter = min(picture.size), [], float(min(sides))
    while shorter <= WIDEST * max(sides) and (
        shorter <= ENLARGED * own or (shorter < max(sides) and shorter <= ENLARGED_SMALL * own)
    ):
        found.append(np.asarray(resize(picture, shorter * max(picture.size) / own)))
        shorter *= STEP
    return found


def _fitting(levels: Sequence[Level], side: int) -> list[Level]:
    """Those of a picture's levels that crops of this side are cut from."""
    return [level for level in levels if side <= min(level[1:]) <= WIDEST * side]
