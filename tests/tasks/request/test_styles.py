"""The style cell: how several pictures, their weights and their masks are written, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.request.styles import NamedStyle, parse_masks, parse_styles, styles_of, written

NAMES = st.text("ab:|/2. é", min_size=1).filter(lambda name: name == name.strip() and "|" not in name.split())
WEIGHTS = st.floats(0, 1e300, allow_nan=False)


@pytest.mark.parametrize(
    ("cell", "styles", "text"),
    [
        ("a.jpg", [("a.jpg", 1)], "a.jpg"),
        ("C:/a.jpg", [("C:/a.jpg", 1)], "C:/a.jpg"),
        ("a.jpg:2", [("a.jpg:2", 1)], "a.jpg:2"),
        ("a.jpg | b.jpg", [("a.jpg", 1), ("b.jpg", 1)], "a.jpg | b.jpg"),
        ("a.jpg:2  |  b.jpg", [("a.jpg", 2), ("b.jpg", 1)], "a.jpg:2 | b.jpg:1"),
        ("C:/a.jpg | b.jpg:.5", [("C:/a.jpg", 1), ("b.jpg", 0.5)], "C:/a.jpg:1 | b.jpg:0.5"),
        (["a.jpg"], [("a.jpg", 1)], "a.jpg"),
        (["a.jpg", "b.jpg", "a.jpg"], [("a.jpg", 1), ("b.jpg", 1), ("a.jpg", 1)], "a.jpg | b.jpg | a.jpg"),
        (["a:2", "b.jpg"], [("a:2", 1), ("b.jpg", 1)], "a:2:1 | b.jpg:1"),
        ({"a.jpg": 2, "b.jpg": "1"}, [("a.jpg", 2), ("b.jpg", 1)], "a.jpg:2 | b.jpg:1"),
        ({"a.jpg": 0, "b.jpg": 1, "c.jpg": None}, [("a.jpg", 0), ("b.jpg", 1)], "a.jpg:0 | b.jpg:1"),
    ],
)
def test_a_cell_is_read_and_written(cell: Any, styles: list[tuple[str, float]], text: str) -> None:
    assert [(style.name, style.weight) for style in parse_styles(cell)] == styles
    assert written(parse_styles(cell)) == text
    assert parse_styles(text) == parse_styles(cell) or len(styles) == 1


@given(st.lists(st.builds(NamedStyle, NAMES, WEIGHTS), min_size=2).filter(lambda styles: any(s.weight for s in styles)))
def test_what_is_written_is_read_back(styles: list[NamedStyle]) -> None:
    assert parse_styles(written(styles)) == tuple(styles)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ([], "names no picture"),
        ({}, "names no picture"),
        ({"a.jpg": 0, "b.jpg": 0}, "all weights are 0"),
        ({"a.jpg": -1, "b.jpg": 1}, "the weight of a.jpg is -1; it has to be 0 or more"),
        ({"a.jpg": "nan", "b.jpg": 1}, "the weight of a.jpg is 'nan'"),
        ({"a.jpg": "heavy"}, "'heavy', which is no number"),
        ({"a.jpg": [1]}, "which is no number"),
        (["a.jpg", None], "the name of a picture is missing"),
        ("a.jpg |  | b.jpg", "the name of a picture is missing"),
        (["a | b.jpg", "c.jpg"], "rename the file"),
        ([{"a.jpg": 2}, {"b.jpg": 1}], "weights are written {a.jpg: 2, b.jpg: 1}"),
    ],
)
def test_a_wrong_cell_says_what_is_wrong(cell: Any, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_styles(cell)
    assert says in str(caught.value)


def test_masks_are_names_without_weights() -> None:
    assert parse_masks("left.png") == ("left.png",)
    assert parse_masks("left.png | right.png:2") == parse_masks(["left.png", "right.png:2"])
    with pytest.raises(BadInput, match="masks have no weights"):
        parse_masks({"left.png": 1})


def test_a_text_that_is_no_list_of_styles_is_one_name() -> None:
    assert styles_of("a | b:-1") == (NamedStyle("a | b:-1"),)
    assert styles_of("") == (NamedStyle(""),)
