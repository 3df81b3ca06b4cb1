"""``keep``: the condition that a picture has to fulfil, or the next of its row's styles is tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.nst.layers import LAYERS
from stylebatch.tasks.request.where import choose, nearest_row

# What is known of a picture when it is made, as the report has it.
_FIGURES = pa.schema(
    [
        *((name, pa.string()) for name in ("content", "style")),
        *((name, pa.float64()) for name in ("structure", "style_distance")),
        ("content_lost", pa.bool_()),
        *((name, pa.float64()) for name in ("total_loss", "content_loss", "style_loss", "tv_loss", "optimizer_loss")),
        *((f"style_loss_{layer}", pa.float64()) for layer in LAYERS),
        *((name, pa.int64()) for name in ("steps", "width", "height")),
    ]
)


def check_keep(condition: str) -> None:
    """Refuse a condition that cannot be evaluated.

    Raises:
        BadInput: it cannot be read, or names what is not known of a picture when it is made.
    """
    try:
        choose(_FIGURES.empty_table(), condition, "keep")
        nearest(condition, [{}])
    except BadRequest as error:
        raise BadInput(str(error)) from None


def passes(condition: str, figures: Mapping[str, Any]) -> bool:
    """Whether the condition holds for a picture with these figures, by their columns in the report."""
    return len(choose(_table([figures]), condition, "keep")) == 1


def nearest(condition: str, figures: Sequence[Mapping[str, Any]]) -> int:
    """Which of several pictures falls the least short of the condition; the first of those that are equal."""
    return nearest_row(_table(figures), condition, "keep")


def _table(figures: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(figures), _FIGURES)
