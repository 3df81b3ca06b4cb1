"""Text on pages that are drawn as pictures."""

from __future__ import annotations

from functools import cache

from PIL import ImageFont


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font, lines of so many pixels."""
    return ImageFont.load_default(size=size)


def shorten(text: str, width: int, size: int) -> str:
    """The text, cut in its middle where it is wider than so many pixels: names often differ at their ends."""
    letters = font(size)
    if letters.getlength(text) <= width:
        return text
    kept = len(text)
    while kept > 2 and letters.getlength(text[: kept // 2] + "…" + text[-(kept // 2) :]) > width:
        kept -= 1
    return text[: kept // 2] + "…" + text[-(kept // 2) :]
