"""A collection: pictures that are one style together, as people write it and as it is digested.

It is written ``{collection: monet/*.jpg}`` in YAML and JSON, and ``collection:monet/*.jpg`` in any cell. A folder
stands for all pictures in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.request.globs import expand
from stylebatch.tasks.storage.places import Place

WORD = "collection"
_MARK = f"{WORD}:"
_WILD = re.compile(r"[*?\[]")
# Of the pictures in a folder, which may have other files too.
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".bmp", ".gif", ".heic", ".heif", ".jxl")


def named(pattern: str) -> str:
    """The name of the style that a collection is, by its glob or folder."""
    return f"{_MARK}{pattern.strip()}"


def pattern_of(name: str) -> str:
    """The glob or folder of a collection; nothing where the style is a single picture."""
    return name.removeprefix(_MARK).strip() if name.startswith(_MARK) else ""


def members(folder: Place, name: str) -> list[str]:
    """The names of a collection's pictures, sorted.

    Args:
        folder: what they are relative to.

    Raises:
        BadInput: there are none, or hardly any.
    """
    pattern = pattern_of(name)
    is_glob = bool(_WILD.search(pattern))
    try:
        found = expand(folder, pattern if is_glob else f"{pattern.rstrip('/')}/*", WORD)
        pictures = [one for one in found if is_glob or one.lower().endswith(_ENDINGS)]
    except BadRequest as error:
        raise BadInput(str(error)) from None
    if len(pictures) < 2:
        raise BadInput(
            f"{pattern} has {'one picture' if pictures else 'no pictures'}, and a collection is several; "
            + ("write it as a style by itself" if pictures else "give a folder or a glob of them")
        )
    return pictures


def digest(sha256s: Iterable[str]) -> str:
    """The digest of a collection, 64 hexadecimal digits: the same for the same pictures, whatever they are called."""
    return hashlib.sha256("+".join(sorted(set(sha256s))).encode()).hexdigest()
