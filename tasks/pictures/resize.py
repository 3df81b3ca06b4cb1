"""Pictures in another size, with their aspect ratio."""

from __future__ import annotations

from PIL import Image


def scaled_size(width: int, height: int, longer: float) -> tuple[int, int]:
    """Width and height with the longer side ``longer``, the aspect ratio kept, each rounded to the nearest pixel."""
    scale = longer / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def resize(picture: Image.Image, longer: float) -> Image.Image:
    """The picture with its longer side ``longer``. Pillow's BILINEAR filters when it shrinks."""
    return picture.resize(scaled_size(*picture.size, longer), Image.Resampling.BILINEAR)
