"""Rows whose files go by other names, for a manifest that lies elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.voronoi import cells_of
from stylebatch.tasks.request.collections import named, pattern_of
from stylebatch.tasks.request.settings import STARTS
from stylebatch.tasks.request.styles import SEPARATOR, NamedStyle, parse_masks, parse_styles, written

Rename = Callable[[str], str]


def renamed(row: Mapping[str, Any], rename: Rename) -> dict[str, Any]:
    """The row with each file's name as ``rename`` has it; a cell that cannot be read, which its row tells, as it is."""
    return {name: _FILES[name](value, rename) if name in _FILES else value for name, value in row.items()}


def _one(cell: Any, rename: Rename) -> str:
    return rename(str(cell))


def _one_but(*words: str) -> Callable[[Any, Rename], Any]:
    """For a setting that is a file unless it is one of ``words``."""
    return lambda cell, rename: cell if cell in words else rename(str(cell))


def _styles(cell: Any, rename: Rename) -> Any:
    try:
        return written([NamedStyle(_style(style.name, rename), style.weight) for style in parse_styles(cell)])
    except BadInput:
        return cell


def _style(name: str, rename: Rename) -> str:
    pattern = pattern_of(name)
    return named(rename(pattern)) if pattern else rename(name)


def _next_styles(cell: Any, rename: Rename) -> Any:
    return [_styles(one, rename) for one in (cell if isinstance(cell, list) else [cell])]


def _masks(cell: Any, rename: Rename) -> Any:
    if cells_of(str(cell)):
        return cell
    try:
        return SEPARATOR.join(name if cells_of(name) else rename(name) for name in parse_masks(cell))
    except BadInput:
        return cell


_FILES: Mapping[str, Callable[[Any, Rename], Any]] = {
    "content": _one,
    "style": _styles,
    "masks": _masks,
    "next_styles": _next_styles,
    "init": _one_but(*STARTS),
    "model": _one_but("none"),
    "weights": _one_but("auto"),
}
