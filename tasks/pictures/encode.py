"""Pictures as files of ours: written whole or not at all."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from stylebatch.tasks.pictures.decode import to_rgb
from stylebatch.tasks.pictures.formats import FormatName
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place


def encode(picture: Image.Image, file_format: FormatName, quality: int) -> bytes:
    """The bytes of a file of a picture of mode RGB.

    Args:
        quality: 1 to 100, of the formats that lose something.
    """
    buffer = io.BytesIO()
    if file_format == "png":
        picture.save(buffer, "PNG")
    elif file_format == "jpeg":
        # Colours in full: strokes have sharp edges of colour, and at equal bytes this is nearer to the picture.
        picture.save(buffer, "JPEG", quality=quality, subsampling=0)
    else:
        picture.save(buffer, "WEBP", quality=quality, method=2)  # the usual 4 takes four times as long for one percent
    return buffer.getvalue()


def read_back(data: bytes) -> Image.Image:
    """What `load_picture` will make of a file of ours with these bytes: mode RGB."""
    with Image.open(io.BytesIO(data)) as picture:
        return to_rgb(picture)


def write_picture(data: bytes, path: Place) -> str:
    """Write a picture's bytes, whole or not at all.

    Returns:
        Their SHA-256, in hexadecimal.
    """
    write_atomically(path, data)
    return hashlib.sha256(data).hexdigest()


def write_png(picture: Image.Image, path: Place) -> str:
    """Write a picture as PNG.

    Returns:
        The SHA-256 of the file's bytes, in hexadecimal.
    """
    return write_picture(encode(picture, "png", 100), path)
