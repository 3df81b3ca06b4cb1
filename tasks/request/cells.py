"""A setting's value as a cell of a manifest has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_text(value: Any) -> str:
    """A setting's value as people write it in a manifest; layers as ``relu1_1, relu2_1:0.5``."""
    if isinstance(value, Mapping):
        return ", ".join(name if weight == 1 else f"{name}:{as_text(weight)}" for name, weight in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(as_text, value))
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else str(value)
    return str(value)
