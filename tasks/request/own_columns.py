"""Columns of people's own: what they want to find in the report again, and what decides no picture."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

PREFIX = "x_"
LABEL = "label"
EXTRA = "extra"  # a mapping, whose names get the prefix


@lru_cache(maxsize=1024)
def is_own(name: str) -> bool:
    """Whether a column is one of people's own."""
    return name == LABEL or name.startswith(PREFIX)


def prefixed(extra: Mapping[str, Any]) -> dict[str, Any]:
    """What ``extra`` holds, as columns."""
    return {name if str(name).startswith(PREFIX) else f"{PREFIX}{name}": value for name, value in extra.items()}


def own_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a row that are people's own, by their columns in the report."""
    cells = {name: value for name, value in row.items() if is_own(name)}
    return prefixed(row[EXTRA]) | cells if isinstance(row.get(EXTRA), Mapping) else cells
