"""The settings that differ among the rows of a report, each as a column of its own: ``set_size``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from stylebatch.tasks.request.cells import as_text
from stylebatch.tasks.request.settings import Settings

SET_COLUMN = "set_"
_KEPT = [name for name, field in Settings.model_fields.items() if not field.exclude]


class Varying:
    """The columns of ``settings``, which are those of the rows.

    A setting that has only numbers here is a column of numbers, and any other one of texts, written as in a manifest.
    """

    def __init__(self, settings: Sequence[Settings]) -> None:
        self._columns: dict[str, tuple[pa.DataType, Callable[[Any], Any]]] = {}
        for name in _KEPT:
            values = [getattr(one, name) for one in settings]
            if any(value != values[0] for value in values):
                kinds = {type(value) for value in values}
                self._columns[name] = _COLUMNS[next((one for one in _COLUMNS if kinds <= set(one)), ())]

    @property
    def fields(self) -> list[tuple[str, pa.DataType]]:
        """The columns' names and types, in the order of the settings."""
        return [(SET_COLUMN + name, kind) for name, (kind, _) in self._columns.items()]

    @property
    def names(self) -> list[str]:
        """Those of the columns."""
        return [name for name, _ in self.fields]

    def row(self, settings: Settings) -> dict[str, Any]:
        """The columns' values in a row."""
        return {SET_COLUMN + name: cell(getattr(settings, name)) for name, (_, cell) in self._columns.items()}


# By the types of the values that there are; the narrowest first, and texts for all others.
_COLUMNS: dict[tuple[type, ...], tuple[pa.DataType, Callable[[Any], Any]]] = {
    (int,): (pa.int64(), int),
    (int, float): (pa.float64(), float),
    (): (pa.string(), as_text),
}
