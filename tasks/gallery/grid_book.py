"""All pages of grids as one PDF, each on a sheet of A4."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from stylebatch.tasks.storage.files import read_bytes, remove, write_atomically
from stylebatch.tasks.storage.places import Place

BOOK = "grids.pdf"
SHORT, LONG = 7.6, 11.0  # inches of an A4 sheet, with margins
QUALITY = 88  # JPEG's scale


def write_book(pages: Sequence[Place], book: Place) -> None:
    """Write the pages' PDF, or remove it where there are no pages.

    Args:
        pages: PNG files.
    """
    if not pages:
        remove(book)
        return
    with tempfile.TemporaryDirectory(prefix="stylebatch-grids-") as folder:
        made = Path(folder) / BOOK
        for number, page in enumerate(pages):  # one after another: all of them would fill the memory
            with Image.open(io.BytesIO(read_bytes(page))) as picture:
                across, down = (SHORT, LONG) if picture.height > picture.width else (LONG, SHORT)
                dots = max(picture.width / across, picture.height / down)
                sheet = picture.convert("RGB")
                sheet.save(made, "PDF", append=number > 0, resolution=dots, quality=QUALITY)
        write_atomically(book, made.read_bytes())
