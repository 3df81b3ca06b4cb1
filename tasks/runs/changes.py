"""Settings that reprocessing has given to some rows of a run, as run.json keeps them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

Changes = dict[int, dict[str, str]]  # manifest row to settings


def to_json(changes: Mapping[int, Mapping[str, str]]) -> list[dict[str, Any]]:
    """``[{"set": {"size": "512"}, "rows": [[1, 3], [7, 7]]}]``: rows by ranges, which are many or few."""
    rows_of: dict[tuple[tuple[str, str], ...], list[int]] = defaultdict(list)
    for row in sorted(changes):
        if changes[row]:
            rows_of[tuple(changes[row].items())].append(row)
    return [{"set": dict(settings), "rows": _ranges(rows)} for settings, rows in rows_of.items()]


def from_json(groups: Iterable[Mapping[str, Any]]) -> Changes:
    """What `to_json` made a list of.

    Raises:
        KeyError, TypeError, ValueError: it is no such list.
    """
    return {
        row: dict(group["set"]) for group in groups for first, last in group["rows"] for row in range(first, last + 1)
    }


def _ranges(rows: Iterable[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for row in rows:
        if ranges and row == ranges[-1][1] + 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    return ranges
