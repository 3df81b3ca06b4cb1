"""Values of any kind as a column of Parquet: with their own type where they have one, else as texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from stylebatch.tasks.request.text import as_utf8
from stylebatch.tasks.storage.places import without_secrets


def typed(values: Sequence[Any]) -> pa.Array:
    """The values, with null for None; what is secret in them is left out."""
    clean = [_clean(value) for value in values]
    try:
        array = pa.array(clean, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):  # no type that all of them are of
        array = pa.array([_text(value) for value in clean], pa.string())
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(as_utf8(value))
    if isinstance(value, dict | list):
        text = _json(value)
        return value if without_secrets(text) == text else without_secrets(text)
    return value


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    try:
        return json.dumps(value, default=str)
    except (TypeError, ValueError):  # a mapping whose names are no texts, a number that is too long
        return f"({type(value).__name__})"
