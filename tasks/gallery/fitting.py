"""Pictures as large as a page has room for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from PIL import Image, ImageOps

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.storage.places import Place

BACKGROUND = "white"


def fitted(weighted: Sequence[tuple[Place, float]], side: int) -> Image.Image | None:
    """The picture with its longer side of so many pixels: what is small is enlarged, so that one sees it in print.

    Several are strips of one square, each as wide as its weight says. Nothing where there is none, or one cannot be
    read.
    """
    try:
        pictures = [load_picture(path) for path, _ in weighted]
    except (BadInput, OSError):
        return None
    if len(pictures) < 2:
        return _contained(pictures[0], side) if pictures else None
    total = sum(weight for _, weight in weighted)
    ends = [round(side * share / total) for share in accumulate(weight for _, weight in weighted)]
    mosaic = Image.new("RGB", (side, side), BACKGROUND)
    for picture, left, right in zip(pictures, [0, *ends], ends, strict=False):
        if right > left:  # a weight of nothing has no width
            mosaic.paste(ImageOps.fit(picture, (right - left, side)), (left, 0))
    return mosaic


def _contained(picture: Image.Image, side: int) -> Image.Image:
    if max(picture.size) > side:
        picture.thumbnail((side, side))
        return picture
    return ImageOps.contain(picture, (side, side), Image.Resampling.BICUBIC)
