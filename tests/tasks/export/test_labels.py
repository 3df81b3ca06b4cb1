"""Labels, and the folders that stand for them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stylebatch.tasks.export.labels import folder_of, label_of, names_of_styles


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ({"id": "a/b/c", "style": "night.jpg", "label": "ours"}, "ours"),
        ({"id": "a/b/c", "style": "night.jpg", "label": None}, "a/b"),
        ({"id": "a/b/c", "style": "night.jpg"}, "a/b"),
        ({"id": "c", "style": "night.jpg", "label": 7}, "7"),
        ({"id": "c", "style": "night.jpg"}, "night"),
    ],
)
def test_a_label_is_given_or_the_folder_or_the_style(row: dict[str, object], label: str) -> None:
    assert label_of(row, {"night.jpg": "night"}) == label


@pytest.mark.parametrize(
    ("styles", "names"),
    [
        (["styles/night.jpg", "styles/glass.png"], ["night", "glass"]),
        (["a/night.jpg", "b/night.jpg", "glass.jpg"], ["a-night", "b-night", "glass"]),
        (["/x/a/night.jpg", "/y/a/night.jpg"], ["x-a-night", "y-a-night"]),
        (["s3://bucket/night.jpg"], ["night"]),
        (["night.jpg | glass.jpg:2"], ["night+glass"]),
        (["night.jpg:2 | glass.jpg", "night.jpg | glass.jpg:2"], ["night+glass-1", "night+glass-2"]),
        (["night.jpg", "night.png", "NIGHT.png"], ["night-1", "night-2", "NIGHT-3"]),
        ([], []),
    ],
)
def test_styles_have_names_that_tell_them_apart(styles: Sequence[str], names: Sequence[str]) -> None:
    assert names_of_styles(styles) == dict(zip(styles, names, strict=True))


@pytest.mark.parametrize(
    ("label", "folder"), [("night", "night"), ("a/b", "a/b"), ("à la: carte?", "à la_ carte_"), ("../x.", "_/x")]
)
def test_a_label_becomes_a_folder_that_every_file_system_can_have(label: str, folder: str) -> None:
    assert folder_of(label) == folder
