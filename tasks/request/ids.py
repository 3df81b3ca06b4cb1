"""Ids: what a picture may be called, so that it is one file on every system and lies within its folder."""

from __future__ import annotations

import re
import unicodedata

from slugify import slugify

LONGEST_ID = 120  # characters of a file's or folder's name
LONGEST_PATH = 480  # and of all of them together
KEY = "{key}"  # in an id, for the first digits of the pair's key
KEY_DIGITS = 8
_SAFE = re.compile(r"\w[\w .@+=,-]*", re.ASCII)
_UNSAFE = r"[^a-zA-Z0-9_.@+=,-]+"
# Names that Windows keeps for devices, whatever their ending.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
# A folder that is called like a picture may be in that picture's place.
_PICTURE = re.compile(r"\.(png|jpe?g|webp)$", re.IGNORECASE)


def id_problem(name: str) -> str:
    """What is wrong with an id, or nothing. Each part between two ``/`` has to be safe as a file's name."""
    parts = name.replace(KEY, "0" * KEY_DIGITS).split("/")
    if not all(map(_is_safe, parts)):
        return f"{name!r} is not safe as a file name; use letters, digits and . _ - within it, and / between folders"
    if any(len(part) > LONGEST_ID for part in parts):
        return f"is longer than {LONGEST_ID} characters" + (" between two /" if len(parts) > 1 else "")
    if len(name) > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH} characters"
    if called := next((part for part in parts[:-1] if _PICTURE.search(part)), ""):
        return f"{name!r} has a folder {called!r}, which ends as a picture does; give it another name"
    return ""


def as_file(name: str) -> str:
    """The same text for ids that would be one file, also where a file system ignores case."""
    file = unicodedata.normalize("NFC", name).casefold()
    return name if file == name else file  # a million ids are there once


def safe_part(text: str) -> str:
    """A file's or folder's name as a part of an id: as it is where it is safe, else with ``-`` for what is not.

    Letters of other alphabets become those of the Latin one that sound like them.
    """
    if _is_safe(text) and len(text) <= LONGEST_ID:
        return text
    made = re.sub(r"^\W+|[. ]+$", "", slugify(text, lowercase=False, regex_pattern=_UNSAFE)) or "picture"
    return shortened(made if _is_safe(made) else f"_{made}", LONGEST_ID)


def shortened(text: str, most: int) -> str:
    """``text`` with at most so many characters, cut in its middle: names differ at their ends, and begin as a word."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2 - 1]}-{text[-(most - most // 2) :]}"


def _is_safe(part: str) -> bool:
    return bool(_SAFE.fullmatch(part)) and not _RESERVED.fullmatch(part) and not part.endswith((".", " "))
