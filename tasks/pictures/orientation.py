"""Which way up a picture is to be seen, by its EXIF data."""

from __future__ import annotations

from PIL import Image

TAG = 0x0112
# What turns the stored pixels into the picture that is to be seen (EXIF 2.32, table of the tag Orientation).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(picture: Image.Image) -> int:
    """The orientation, 1 to 8; 1 where there is none, or the EXIF data cannot be read, as browsers have it.

    No other tag matters: whatever they hold, they are not written again.
    """
    try:
        found = picture.getexif().get(TAG, 1)
        value = int(found[0] if isinstance(found, tuple) else found)
    except Exception:  # whatever a parser comes across in bytes that others wrote
        return 1
    return value if value in TURNS else 1


def turned(picture: Image.Image, orientation: int) -> Image.Image:
    """The picture upright."""
    turn = TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)
