"""``keep``: what passes, what is nearest where nothing does, and what cannot be evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.request.keep import check_keep, nearest, passes

FIGURES: list[dict[str, Any]] = [
    {"structure": 0.1, "style_distance": 0.9, "content_lost": True, "steps": 1, "style": "s/night.jpg"},
    {"structure": 0.3, "style_distance": 0.7, "content_lost": True, "steps": 2, "style": "s/night.jpg"},
    {"structure": 0.35, "style_distance": 1.0, "content_lost": True, "steps": 3, "style": "s/glass.jpg"},
    {"structure": None, "style": "s/night.jpg"},
]


@pytest.mark.parametrize(
    ("condition", "passing"),
    [
        ("structure >= 0.3", [1, 2]),
        ("structure >= 0.2 and style_distance < 0.8", [1]),
        ("0.2 <= structure < 0.35", [1]),
        ("not content_lost", []),
        ('structure > 0.3 or style == "night"', [0, 1, 2, 3]),
        ("steps * 2 in (2, 6)", [0, 2]),
    ],
)
def test_a_picture_passes_as_a_row_of_the_report_would_be_chosen(condition: str, passing: list[int]) -> None:
    assert [place for place, one in enumerate(FIGURES) if passes(condition, one)] == passing


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ("structure >= 0.4", 2),
        ("structure >= 0.4 and style_distance <= 0.6", 1),
        ("structure >= 0.4 or style_distance < 0.69", 1),
        ("0.5 < structure < 0.9", 2),
        ("style_distance < 0.5", 1),
        ("structure > 0.9 and steps == 1", 0),
        ("not content_lost", 0),
        ('style == "glass" and structure > 0.9', 2),
    ],
)
def test_the_nearest_is_that_which_falls_the_least_short(condition: str, place: int) -> None:
    assert not any(passes(condition, one) for one in FIGURES)
    assert nearest(condition, FIGURES) == place
    assert nearest(condition, FIGURES[3:]) == 0, "a gap is nearer than nothing"


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("structure >", "keep structure >: "),
        ("stucture > 1", "no column 'stucture'; did you mean 'structure'?"),
        ("x_split == 1", "no column 'x_split'"),
        ("structure", "keep structure: "),
        ("structure > 'high'", "keep structure > 'high': "),
        ("__import__('os')", "more than a condition"),
        ("1", "keep 1: "),
        ("", "keep"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(condition: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_keep(condition)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
