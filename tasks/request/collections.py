"""A collection: pictures that are one style together, as people write it and as it is digested.

It is written ``{collection: monet/*.jpg}`` in YAML and JSON, and ``collection:monet/*.jpg`` in any cell. A folder
stands for all pictures in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

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


def stem_of(name: str) -> str:
    """What a style is called: a picture's name without its ending, of ``paintings/monet-*.jpg`` it is ``monet``."""
    pattern = pattern_of(name)
    if not pattern:
        return PurePosixPath(name).stem
    parts = [_WILD.split(part)[0].rstrip("-_ ") for part in PurePosixPath(pattern).parts]
    return next((part for part in reversed(parts) if part.strip("/.")), WORD)


def members(folder: Place, name: str) -> list[str]:
    """The names of a collection's pictures, sorted.

    Args:
        folder: what they are relative to.

    Raises:
        BadInput: there are none, or only one.
    """
    pattern = pattern_of(name)
    is_glob = bool(_WILD.search(pattern))
    try:
        found = list(expand(folder, pattern if is_glob else f"{pattern.rstrip('/')}/*", WORD))
    except BadRequest as error:
        raise BadInput(str(error)) from None
    pictures = [one for one in found if is_glob or one.lower().endswith(_ENDINGS)]
    if len(pictures) < 2:
        number, instead = ("one picture", "write it as a style by itself") if pictures else ("no pictures", "add some")
        raise BadInput(f"{pattern} has {number}, and a collection is several; {instead}")
    return pictures


def digest(sha256s: Iterable[str]) -> str:
    """The digest of a collection, 64 hexadecimal digits: the same for the same pictures, whatever they are called."""
    return hashlib.sha256("+".join(sorted(set(sha256s))).encode()).hexdigest()
