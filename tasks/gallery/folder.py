"""A gallery's folder, which needs nothing outside itself and can be sent.

It holds ``index.html``, ``pictures/``, ``curves/``, ``plots/`` and ``figures.parquet``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.gallery.collection import Collection
from stylebatch.tasks.gallery.page import GENERATOR, render_page, render_piece
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place

COPY = re.compile(r"[0-9a-f]{32}(-\d+\.webp|\.png|\.jpg|\.webp)")


def default_folder(run_dirs: Sequence[Place], presentation: bool = False) -> Place:
    """Where a gallery goes when nobody says: into its run, or beside the first of several.

    A presentation has a folder of its own, so that no figures are sent with it.
    """
    kind = "presentation" if presentation else "gallery"
    if len(run_dirs) == 1:
        return run_dirs[0] / kind
    names = [folder.resolve().name for folder in run_dirs]
    more = [f"{len(names) - 3}-more"] if len(names) > 3 else []
    return run_dirs[0].parent / "-".join([kind, *names[:3], *more])


def prepare_folder(folder: Path) -> None:
    """Make the gallery's folder.

    Raises:
        BadRequest: it cannot be made, or holds a page that is no gallery.
    """
    page = folder / "index.html"
    try:
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        if page.exists() and GENERATOR not in page.read_text("utf-8", "replace")[:4000]:
            raise BadRequest(f"{page} is a page that stylebatch did not write; choose another folder with --out")
    except OSError as error:
        raise BadRequest(f"cannot write to {folder}: {error.strerror}; choose another with --out") from None


def write_page(folder: Path, collection: Collection, data: Mapping[str, Any]) -> Path:
    """Write the page and its pieces, and remove what belongs to an earlier one.

    Args:
        data: what the page's scripts read, as `page_data` makes it.

    Returns:
        The page.
    """
    page, curves = folder / "index.html", folder / "curves"
    write_atomically(page, render_page(data).encode())
    written = set()
    for number, piece in enumerate(collection.pieces(data["curves"]) if data["curves"] else ()):
        write_atomically(curves / f"{number}.js", render_piece(number, piece).encode())
        written.add(f"{number}.js")
    for file in curves.glob("*.js"):
        if file.name not in written:
            file.unlink()
    used = {copy.target.name for copy in collection.copies()}
    for file in (folder / "pictures").iterdir():
        if COPY.fullmatch(file.name) and file.name not in used:
            file.unlink()
    return page
