"""A manifest's rows by columns: as mappings, a million of them take 300 MB, most of it for what they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

_ABSENT = object()  # in the place of a cell that a row does not have


class RowTable(Sequence[dict[str, Any]]):
    """Rows, each a mapping of column to value, which is made when it is asked for."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        columns: dict[str, list[Any]] = {}
        number = 0
        for row in rows:
            for name, value in row.items():
                if name not in columns:
                    columns[name] = [_ABSENT] * number
                columns[name].append(value)
            number += 1
            if len(row) < len(columns):
                for column in columns.values():
                    if len(column) < number:
                        column.append(_ABSENT)
        self._columns, self._number = columns, number

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[dict[str, Any]]:
        cells = zip(*self._columns.values(), strict=True) if self._columns else ((),) * self._number
        return (self._row(row) for row in cells)

    def _row(self, cells: Iterable[Any]) -> dict[str, Any]:
        return {name: value for name, value in zip(self._columns, cells, strict=True) if value is not _ABSENT}

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> RowTable: ...
    def __getitem__(self, place: int | slice) -> dict[str, Any] | RowTable:
        if isinstance(place, slice):
            return RowTable(self[one] for one in range(*place.indices(self._number)))
        if not -self._number <= place < self._number:
            raise IndexError(place)
        return self._row(column[place] for column in self._columns.values())
