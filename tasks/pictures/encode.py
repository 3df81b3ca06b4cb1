"""Pictures as files of ours: PNG, written whole or not at all."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place


def write_png(picture: Image.Image, path: Place) -> str:
    """Write a picture as PNG, whole or not at all.

    Returns:
        The SHA-256 of the file's bytes, in hexadecimal.
    """
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()
