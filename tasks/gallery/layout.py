"""How results are laid out as a matrix: which settings differ, and what goes down and what across."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# Beyond these a matrix is mostly holes, or wider than anyone scrolls: the list is shown first.
SPARSEST, WIDEST = 0.25, 60
Item = Mapping[str, str]  # dimension to value, one mapping a result; a value that is not known is empty


@dataclass(frozen=True)
class Layout:
    """What differs between results, and the matrix that follows from it.

    Attributes:
        values: each dimension that has more than one value, to its values in order: content, style, settings, run.
        rows: the dimensions that go down; ``columns``: those that go across.
        row_labels: what names a row: ``rows``, and what follows from them. ``column_labels`` likewise.
        dense: whether the matrix is worth showing first.
    """

    values: Mapping[str, Sequence[str]]
    rows: Sequence[str]
    columns: Sequence[str]
    row_labels: Sequence[str]
    column_labels: Sequence[str]
    dense: bool


def lay_out(items: Sequence[Item], settings: Sequence[str]) -> Layout:
    """The layout of results.

    Args:
        items: each with ``content``, ``style`` and ``run``, and the settings that are known of it.
        settings: the names of settings in the order in which they are to be named.
    """
    order = ["content", "style", *settings, "run"]
    values = {name: found for name in order if len(found := _values(items, name)) > 1}
    known = [item for item in items if all(item.get(name) for name in values)]
    variants = _independent([name for name in values if _varies_within_a_pair(known, name)], known)
    rows: Sequence[str]
    columns: Sequence[str]
    pairs = [name for name in ("content", "style") if name in values]
    if not variants:
        rows, columns = ["content"], ["style"]
        if len(values.get("style", ())) > WIDEST >= len(values.get("content", ())):
            rows, columns = columns, rows  # one scrolls down more easily than sideways
    elif len(variants) == 1:
        rows, columns = pairs or ["content"], variants
    else:  # a sweep in two dimensions, for each pair
        rows, columns = [*pairs, *variants[:-1]], variants[-1:]
    differing = [name for name in values if name not in ("content", "style")]
    down, across = ({tuple(item.get(name, "") for name in side) for item in items} for side in (rows, columns))
    return Layout(
        values=values,
        rows=rows,
        columns=columns,
        row_labels=[*rows, *(name for name in differing if name not in rows and _follows(known, name, rows))],
        column_labels=[
            *columns,
            *(name for name in differing if name not in columns and _follows(known, name, columns)),
        ],
        dense=len(across) <= WIDEST and len(items) >= SPARSEST * len(down) * len(across),
    )


def _values(items: Iterable[Item], name: str) -> list[str]:
    """The values in the order of their numbers; what is no number comes after them, as it first appears."""
    found = list(dict.fromkeys(item[name] for item in items if item.get(name)))
    return found if name in ("content", "style", "run") else sorted(found, key=_number)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.inf


def _varies_within_a_pair(items: Iterable[Item], name: str) -> bool:
    """Whether the same content and style come with different values."""
    seen: dict[tuple[str, str], str] = {}
    if name in ("content", "style"):
        return False
    return any(seen.setdefault((item["content"], item["style"]), item[name]) != item[name] for item in items)


def _independent(names: Sequence[str], items: Sequence[Item]) -> list[str]:
    """The names without those that follow from earlier ones, as the run does where each has its own settings."""
    kept: list[str] = []
    for name in names:
        if not kept or not _follows(items, name, kept):
            kept.append(name)
    return kept


def _follows(items: Iterable[Item], name: str, others: Sequence[str]) -> bool:
    """Whether the values of ``others`` decide that of ``name``."""
    seen: dict[tuple[str, ...], str] = {}
    return all(seen.setdefault(tuple(item[one] for one in others), item[name]) == item[name] for item in items)
