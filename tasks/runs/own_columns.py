"""Columns of people's own, as the report has them: what the manifest says, whatever became of the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from stylebatch.tasks.request.manifest import Unreadable, is_empty
from stylebatch.tasks.request.own_columns import EXTRA, LABEL, is_own, own_cells
from stylebatch.tasks.request.typed import typed


class OwnColumns:
    """The own columns of a manifest's rows; the label is one of them in any case."""

    def __init__(self, rows: Sequence[Mapping[str, Any]] = ()) -> None:
        given = {name for row in rows for name in row}
        cells = [own_cells(row) for row in rows] if any(is_own(name) or name == EXTRA for name in given) else []
        names = dict.fromkeys(name for row in cells for name in row if name != LABEL)
        labels = [None if (label := _cell(row, LABEL)) is None else str(label) for row in cells]
        self._columns = {LABEL: typed(labels), **{name: typed([_cell(row, name) for row in cells]) for name in names}}

    @property
    def fields(self) -> list[pa.Field]:
        """Their names and types."""
        return [pa.field(name, column.type) for name, column in self._columns.items()]

    def take(self, rows: Iterable[int]) -> list[pa.Array]:
        """The cells of some rows, by their numbers from 1; null for those that the manifest does not have."""
        places = [row - 1 for row in rows]
        return [
            column.take(pa.array([place if place < len(column) else None for place in places], pa.int64()))
            for column in self._columns.values()
        ]


def _cell(row: Mapping[str, Any], name: str) -> Any:
    value = row.get(name)
    return None if is_empty(value) or isinstance(value, Unreadable) else value
