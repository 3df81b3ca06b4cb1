"""Names: ids that a YAML manifest gives to all of its pictures by one pattern, ``"{folder}/{stem}"``."""

from __future__ import annotations

import posixpath
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.request.collections import stem_of
from stylebatch.tasks.request.ids import KEY, id_problem, safe_part, shortened
from stylebatch.tasks.request.settings import nearest
from stylebatch.tasks.request.styles import parse_styles

LONGEST_STYLE = 80  # characters: what there is room for beside a content's name
FIELDS = ("folder", "stem", "style", "n", "key")


@dataclass(frozen=True)
class Naming:
    """A pattern, and which of `FIELDS` are in it.

    ``folder`` and ``stem`` are those of the content, ``n`` counts the pictures of one content from 1, and ``key`` stays
    as it is until the pair's key is known.
    """

    pattern: str
    fields: frozenset[str]

    def name(self, content: str, folder: str, style: Any, n: int) -> str:
        """The id of one picture.

        Args:
            folder: that the content lies in, below what its glob spells out.
            style: as a cell of the manifest.
        """
        filled = self.pattern.format(
            folder=_safe_folder(folder) if "folder" in self.fields else "",
            stem=safe_part(_stem(content)),
            style=_style(style) if "style" in self.fields else "",
            n=n,
            key=KEY,
        )
        return filled if folder else "/".join(part for part in filled.split("/") if part)

    def tells_apart(self, swept: bool) -> bool:
        """Whether two pictures of one content have two names.

        Args:
            swept: whether they may be of one style.
        """
        return bool({"n", "key"} & self.fields or ("style" in self.fields and not swept))


def parse_naming(pattern: Any) -> Naming:
    """Read a pattern.

    Raises:
        BadInput: it is no text, has another field, or what is between its fields is not safe in a file's name.
    """
    if not isinstance(pattern, str) or not pattern:
        raise BadInput(f'name is a pattern such as "{{folder}}/{{stem}}", not {pattern!r}')
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError:
        raise BadInput(f"name {pattern!r}: a brace is opened and not closed, or closed and not opened") from None
    for _, field, spec, conversion in parts:
        if field is not None and (field not in FIELDS or spec or conversion):
            asked = field + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            known = ", ".join(f"{{{one}}}" for one in FIELDS)
            raise BadInput(
                f"name {pattern!r}: there is no field {{{asked}}}{nearest(field, FIELDS)}; there are {known}"
            )
    naming = Naming(pattern, frozenset(field for _, field, _, _ in parts if field))
    if problem := id_problem(naming.name("a", "a", "a", 1)):
        raise BadInput(f"name {pattern!r}: {problem}")
    return naming


@lru_cache(maxsize=100_000)
def _safe_folder(folder: str) -> str:
    return "/".join(map(safe_part, folder.split("/"))) if folder else ""


def _style(cell: Any) -> str:
    """The styles' names, ``night+glass``."""
    try:
        names = [style.name for style in parse_styles(cell)]
    except BadInput:  # the row's, and told there
        names = [str(cell)]
    return shortened("+".join(map(_safe_stem, names)), LONGEST_STYLE)


@lru_cache(maxsize=100_000)
def _safe_stem(name: str) -> str:
    return safe_part(stem_of(name))


def _stem(name: str) -> str:
    return posixpath.splitext(posixpath.basename(name))[0]
