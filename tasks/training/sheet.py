"""Pictures side by side, for a preview."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image


def sheet(rows: Sequence[Sequence[Image.Image]], side: int) -> Image.Image:
    """Pictures on white, each in the middle of a square of this side."""
    made = Image.new("RGB", (side * len(rows[0]), side * len(rows)), "white")
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            left, top = (side - picture.width) // 2, (side - picture.height) // 2
            made.paste(picture, (column * side + left, row * side + top))
    return made
