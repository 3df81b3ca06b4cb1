"""Checking a manifest's rows before any work is done: settings, ids, and that the pictures are pictures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tasks.errors import BadInput
from tasks.manifest import Manifest, is_empty
from tasks.nst.layers import minimum_side
from tasks.pictures import header_size, load_picture, scaled_size
from tasks.settings import Settings, problems

LONGEST_ID = 120
SAFE_ID = re.compile(r"\w[\w .@+=,-]*", re.ASCII)
# Names that Windows keeps for devices, whatever their ending.
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """One good row. ``content`` and ``style`` are as the manifest has them; ``id`` is empty where it gives none."""

    row: int
    id: str
    content: str
    style: str
    settings: Settings


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be carried out, with the first reason to be shown for each column."""

    row: int
    id: str
    content: str
    style: str
    problems: tuple[tuple[str, str], ...]

    @property
    def message(self) -> str:
        """All that is wrong, in one line."""
        return "; ".join(f"{column}: {message}" for column, message in self.problems)


def check_rows(
    manifest: Manifest, overrides: Mapping[str, str], decode: bool = False
) -> tuple[list[Pair], list[BadRow]]:
    """Check every row: settings, ids, and that its pictures are there, are pictures, and fit the network.

    Args:
        overrides: settings that win over the rows'.
        decode: also decode each picture once, which finds those that are cut off in the middle.

    Returns:
        The good rows and the bad ones, each in the manifest's order.
    """
    check_picture = _PictureCheck(decode)
    seen: dict[str, int] = {}
    pairs, bad_rows = [], []
    for number, raw in enumerate(manifest.rows, start=1):
        row = {name: value for name, value in raw.items() if not is_empty(value)}
        found: list[tuple[str, str]] = []
        given = {name: row[name] for name in row if name in Settings.model_fields}
        settings = Settings()
        try:
            settings = Settings.model_validate({**given, **overrides})
        except ValidationError as error:
            found += problems(error)
        names = {column: str(row.get(column, "")) for column in ("id", "content", "style")}
        if names["id"]:
            found += [("id", problem) for problem in _id_problems(names["id"], number, seen)]
        pictures = {"content": (names["content"], 1.0), "style": (names["style"], settings.style_scale)}
        if settings.starts_from_picture:
            pictures["init"] = (settings.init, 1.0)
        for column, (name, scale) in pictures.items():
            if not name:
                found.append((column, "is missing"))
                continue
            shortest = minimum_side([*settings.content_layers, *settings.style_layers])
            problem = check_picture(manifest.locate(name), settings.size * scale, shortest)
            if problem:
                found.append((column, problem))
        if found:
            bad_rows.append(BadRow(number, names["id"], names["content"], names["style"], tuple(found)))
        else:
            pairs.append(Pair(number, names["id"], names["content"], names["style"], settings))
    return pairs, bad_rows


def _id_problems(name: str, row: int, seen: dict[str, int]) -> Iterator[str]:
    if not SAFE_ID.fullmatch(name) or RESERVED.fullmatch(name) or name.endswith((".", " ")):
        yield f"{name!r} is not safe as a file name; use letters, digits and . _ - within it"
    elif len(name) > LONGEST_ID:
        yield f"is longer than {LONGEST_ID} characters"
    # File systems that ignore case would write both to one file.
    first = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), row)
    if first != row:
        yield f"{name!r} is that of row {first} already"


class _PictureCheck:
    """Checks pictures, each file once however many rows name it."""

    def __init__(self, decode: bool) -> None:
        self._decode = decode
        self._sizes: dict[Path, tuple[int, int] | str] = {}

    def __call__(self, path: Path, longer: float, shortest: int) -> str:
        """What is wrong with the picture, or nothing."""
        if path not in self._sizes:
            self._sizes[path] = self._look(path)
        size = self._sizes[path]
        if isinstance(size, str):
            return size
        width, height = scaled_size(*size, longer)
        if min(width, height) < shortest:
            return (
                f"{path.name} would be {width}x{height} px; the layers need {shortest} px on the shorter side: "
                "crop it, or raise size"
            )
        return ""

    def _look(self, path: Path) -> tuple[int, int] | str:
        try:
            return load_picture(path).size if self._decode else header_size(path)
        except (BadInput, OSError) as error:
            return str(error)
