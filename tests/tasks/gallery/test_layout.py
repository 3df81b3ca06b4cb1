"""What goes down and what across in the matrix of a gallery."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from stylebatch.tasks.gallery.layout import WIDEST, lay_out


def items(contents: int, styles: int, **settings: Sequence[str]) -> list[dict[str, str]]:
    pairs = [{"content": str(content), "style": str(style)} for content in range(contents) for style in range(styles)]
    combinations = [dict(zip(settings, values, strict=True)) for values in product(*settings.values())]
    return [{**pair, "run": "out", **combination} for pair in pairs for combination in combinations]


def test_a_sweep_of_two_settings_has_two_dimensions_for_each_pair() -> None:
    found = lay_out(items(2, 1, size=["64", "128"], steps=["1", "2", "3"]), ["size", "steps"])
    assert (found.rows, found.columns) == (["content", "size"], ["steps"])
    found = lay_out(items(1, 1, size=["64", "128"], steps=["1", "2"]), ["size", "steps"])
    assert (found.rows, found.columns) == (["size"], ["steps"])


def test_styles_go_down_where_they_are_more_than_a_window_is_wide() -> None:
    found = lay_out(items(3, WIDEST + 1), [])
    assert (found.rows, found.columns, found.dense) == (["style"], ["content"], True)
    assert lay_out(items(3, WIDEST), []).columns == ["style"]
