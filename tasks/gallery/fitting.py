"""Pictures as large as a page has room for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from PIL import Image, ImageOps

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.storage.places import Place

BACKGROUND = "white"
STRIPS = 4
ACROSS = 4  # pictures of a mosaic in a row


def fitted(weighted: Sequence[tuple[Place, float]], side: int) -> Image.Image | None:
    """The picture with its longer side of so many pixels: what is small is enlarged, so that one sees it in print.

    Several are strips of one square, each as wide as its weight says; of more than `STRIPS` that count alike, as those
    of a collection do, some are squares of a `mosaic`. Nothing where there is none, or one cannot be read.
    """
    try:
        if len(weighted) > STRIPS and len({weight for _, weight in weighted}) == 1:
            return mosaic([path for path, _ in weighted], side)
        pictures = [load_picture(path) for path, _ in weighted]
    except (BadInput, OSError):
        return None
    if len(pictures) < 2:
        return _contained(pictures[0], side) if pictures else None
    total = sum(weight for _, weight in weighted)
    ends = [round(side * share / total) for share in accumulate(weight for _, weight in weighted)]
    strips = Image.new("RGB", (side, side), BACKGROUND)
    for picture, left, right in zip(pictures, [0, *ends], ends, strict=False):
        if right > left:  # a weight of nothing has no width
            strips.paste(ImageOps.fit(picture, (right - left, side)), (left, 0))
    return strips


def mosaic(pictures: Sequence[Place], side: int) -> Image.Image:
    """A square of so many pixels a side with as many of the pictures as fill rows of 2 to `ACROSS`, evenly chosen.

    Raises:
        BadInput, OSError: one cannot be read.
    """
    across = min(ACROSS, max(1, math.isqrt(len(pictures))))
    square = Image.new("RGB", (side, side), BACKGROUND)
    ends = [round(side * place / across) for place in range(across + 1)]
    for place in range(across**2):
        picture = load_picture(pictures[place * len(pictures) // across**2])
        down, right = divmod(place, across)
        size = ends[right + 1] - ends[right], ends[down + 1] - ends[down]
        square.paste(ImageOps.fit(picture, size), (ends[right], ends[down]))
    return square


def _contained(picture: Image.Image, side: int) -> Image.Image:
    if max(picture.size) > side:
        picture.thumbnail((side, side))
        return picture
    return ImageOps.contain(picture, (side, side), Image.Resampling.BICUBIC)
