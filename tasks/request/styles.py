"""The style of a row: one picture or a blend of several with their weights, and the masks, as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.voronoi import cells_of
from stylebatch.tasks.request.collections import WORD, named, pattern_of

SEPARATOR = " | "
_SEPARATORS = re.compile(r"(?:^|(?<=\s))\|(?=\s|$)")  # a bar without space around it belongs to a name
_WEIGHTED = re.compile(r"(?P<name>.+):(?P<weight>[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class NamedStyle:
    """A style by the manifest's name for it, a picture's or a collection's, with its weight relative to the others."""

    name: str
    weight: float = 1.0


def parse_styles(cell: Any) -> tuple[NamedStyle, ...]:
    """The style pictures of a cell: ``"a.jpg"``, ``"a.jpg:2 | b.jpg"``, ``["a.jpg", "b.jpg"]`` or ``{"a.jpg": 2}``.

    Where a text has no `SEPARATOR`, all of it is one name, also a colon and what follows. A collection is
    ``{"collection": "monet/*.jpg"}`` or ``"collection:monet/*.jpg"``.

    Raises:
        BadInput: a name is missing or cannot be written in a cell, a weight is no number, negative or infinite, or
            all of them are 0, or a collection is blended.
    """
    if isinstance(cell, Mapping) and (one := _collection(cell)):
        styles = [NamedStyle(_name(named(one)))]
    elif isinstance(cell, Mapping):
        # Parquet has every name as a field of every row, and null where the row does not use it.
        styles = [NamedStyle(_name(name), _weight(name, weight)) for name, weight in cell.items() if weight is not None]
    elif isinstance(cell, list):
        styles = [NamedStyle(_name(part)) for part in cell]
    else:
        parts = _SEPARATORS.split(str(cell))
        styles = [NamedStyle(str(cell))] if len(parts) == 1 else [_parse_part(part) for part in parts]
    if not styles:
        raise BadInput("names no picture")
    if len(styles) > 1 and any(pattern_of(style.name) for style in styles):
        raise BadInput("a collection is a style by itself, and is not blended with others")
    if not sum(style.weight for style in styles):
        raise BadInput("all weights are 0; one of them has to be more")
    return tuple(styles)


def parse_next_styles(cell: Any) -> tuple[tuple[NamedStyle, ...], ...]:
    """The styles of a cell that are tried in turn: a list of cells of styles, or one.

    Raises:
        BadInput: as `parse_styles`.
    """
    return tuple(map(parse_styles, cell if isinstance(cell, list) else [cell]))


def parse_masks(cell: Any) -> tuple[str, ...]:
    """The masks of a cell, written as styles are, but without weights; a diagram stands for all of its cells.

    Raises:
        BadInput: a name is missing or cannot be written in a cell, or there are weights.
    """
    if isinstance(cell, Mapping):
        raise BadInput("masks have no weights: write a list of pictures, in the order of the styles")
    names = map(_name, cell if isinstance(cell, list) else _SEPARATORS.split(str(cell)))
    return tuple(mask for name in names for mask in ([one.name for one in cells_of(name)] or [name]))


def written(styles: Sequence[NamedStyle]) -> str:
    """The styles as one cell's text, which `parse_styles` reads back; equal weights are left out."""
    if len(styles) == 1:
        return styles[0].name
    weighted = any(style.weight != 1 or _WEIGHTED.fullmatch(style.name) for style in styles)
    return SEPARATOR.join(f"{style.name}:{_number(style.weight)}" if weighted else style.name for style in styles)


def styles_of(text: str) -> tuple[NamedStyle, ...]:
    """The styles that `written` made a text of; any other text, such as a bad row's, counts as one name."""
    try:
        return parse_styles(text)
    except BadInput:
        return (NamedStyle(text),)


def _collection(cell: Mapping[str, Any]) -> str:
    """The glob or folder, where a mapping names a collection and nothing else."""
    given = {name: value for name, value in cell.items() if value is not None}
    pattern = given.get(WORD)
    return pattern if len(given) == 1 and isinstance(pattern, str) else ""


def _parse_part(part: str) -> NamedStyle:
    """``a.jpg`` or ``a.jpg:2``; a colon without a number behind it belongs to the name."""
    match = _WEIGHTED.fullmatch(part.strip())
    return (
        NamedStyle(_name(match["name"]), _weight(match["name"], match["weight"])) if match else NamedStyle(_name(part))
    )


def _name(part: Any) -> str:
    if isinstance(part, Mapping | list):
        raise BadInput(f"{part!r} is not the name of a picture; weights are written {{a.jpg: 2, b.jpg: 1}}")
    name = "" if part is None else str(part).strip()
    if not name:
        raise BadInput("the name of a picture is missing")
    if _SEPARATORS.search(name):
        raise BadInput(f"{name!r} has a ' | ' in it, which stands between two pictures; rename the file")
    return name


def _weight(name: Any, given: Any) -> float:
    try:
        weight = float(given)
    except (TypeError, ValueError):
        raise BadInput(f"the weight of {name} is {given!r}, which is no number") from None
    if not (weight >= 0 and math.isfinite(weight)):
        raise BadInput(f"the weight of {name} is {given!r}; it has to be 0 or more, and finite")
    return weight


def _number(weight: float) -> str:
    return f"{weight:.0f}" if weight.is_integer() and weight < 1e15 else repr(weight)
