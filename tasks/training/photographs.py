"""The pictures of a training, read once: those that are learned from, and those that are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize, scaled_size
from stylebatch.tasks.training.request import File, Request

MOST_HELD_OUT = 6
# Of contents and of paintings: a distance between sets needs more pictures than a mean.
MOST_OF_COLLECTION = 24
SHORTEST = 16  # pixels of a shorter side, below which hardly a feature would be left of a picture


@dataclass(frozen=True)
class Photographs:
    """Pictures of mode RGB, none larger than they will be needed.

    Attributes:
        contents, styles: to learn from.
        held_out, held_out_styles: to judge by; a style that a network is tuned to is both.
    """

    contents: Sequence[Image.Image]
    styles: Sequence[Image.Image]
    held_out: Sequence[Image.Image]
    held_out_styles: Sequence[Image.Image]


def read_photographs(request: Request) -> Photographs:
    """Decode all pictures of a request, so that one that is no good is told before the training.

    Raises:
        BadInput: one cannot be read, is too narrow, or was changed meanwhile.
    """
    contents = [_read(file, request, 1.0) for file in request.contents]
    styles = [_read(file, request, request.settings.style_scale) for file in request.styles]
    if request.is_for_collection:
        apart, apart_styles = (min(MOST_OF_COLLECTION, max(1, len(read) // 6)) for read in (contents, styles))
    else:
        apart, apart_styles = held_out(contents), 0 if request.is_tuning else held_out(styles)
    return Photographs(contents[apart:], styles[apart_styles:], contents[:apart], styles[: apart_styles or 1])


def held_out(pictures: Sequence[object]) -> int:
    """How many of these pictures a training does not learn from, where each is for itself."""
    return min(MOST_HELD_OUT, max(1, len(pictures) // 8))


def _read(file: File, request: Request, scale: float) -> Image.Image:
    path, sha256 = file
    picture = load_picture(path, sha256)
    width, height = scaled_size(*picture.size, scale * request.longer_sides[0])
    if min(width, height) < SHORTEST:
        raise BadInput(
            f"{path.name} would be {width}x{height} px, and a training needs {SHORTEST} px on the shorter side: leave "
            "it out, or raise size"
        )
    largest = scale * request.sides_for(*picture.size)[1]
    return resize(picture, largest) if max(picture.size) > largest else picture
