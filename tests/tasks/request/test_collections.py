"""A collection as a style: how it is written, which pictures it has, and what it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.gallery.names import as_written
from stylebatch.tasks.request.collections import digest, members, named, pattern_of, stem_of
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.request.renamed import renamed
from stylebatch.tasks.request.styles import NamedStyle, parse_styles, styles_of, written


@pytest.mark.parametrize(
    "cell",
    [
        {"collection": "monet/*.jpg"},
        {"collection": " monet/*.jpg ", "a.jpg": None},  # as Parquet has it
        "collection:monet/*.jpg",
    ],
)
def test_a_collection_is_one_style_and_is_read_back_from_its_text(cell: Any) -> None:
    (style,) = parse_styles(cell)
    assert pattern_of(style.name) == "monet/*.jpg"
    assert styles_of(written([style])) == (style,)


@pytest.mark.parametrize("cell", [{"collection": 2}, {"collection": 2, "a.jpg": 1}, "collection.jpg"])
def test_a_picture_may_be_called_collection(cell: Any) -> None:
    assert not any(pattern_of(style.name) for style in parse_styles(cell))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("collection:monet | a.jpg", "is not blended with others"),
        (["collection:monet", "collection:manet"], "is not blended with others"),
        ({"collection": "monet", "a.jpg": 1}, "the weight of collection is 'monet', which is no number"),
        ({"collection": "a | b"}, "has a ' | ' in it"),
    ],
)
def test_what_is_no_collection_is_told(cell: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message.replace("|", r"\|")):
        parse_styles(cell)


def test_a_folder_stands_for_its_pictures_and_a_glob_for_what_it_finds(paintings: Path) -> None:
    assert len(members(paintings.parent, named(paintings.name))) == 8, "and not for the text beside them"
    assert members(paintings, "collection:swirls-*.png") == [f"swirls-{n}.png" for n in range(4)]
    assert len(members(Path("elsewhere"), f"collection:{paintings}/")) == 8
    manifest = Manifest(paintings / "my.yaml", [])
    assert manifest.pictures_of("collection:waves-?.png") == [f"waves-{n}.png" for n in range(4)]
    assert manifest.pictures_of("waves-1.png") == ("waves-1.png",)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("gone/*.png", "nothing matches gone/"),
        ("gone", "nothing matches gone/"),
        ("swirls-1*", "has one picture, and a collection is several; write it as a style by itself"),
    ],
)
def test_too_few_pictures_are_no_collection(pattern: str, message: str, paintings: Path) -> None:
    with pytest.raises(BadInput, match=message):
        members(paintings, named(pattern))


@pytest.mark.parametrize(
    ("pattern", "stem"),
    [
        ("paintings/monet-*.jpg", "monet"),
        ("monet/*.jpg", "monet"),
        ("paintings/monet/", "monet"),
        ("/a/van gogh/**/*.jpg", "van gogh"),
        ("*.jpg", "collection"),
        ("../*", "collection"),
    ],
)
def test_it_is_called_by_what_its_pattern_spells_out(pattern: str, stem: str) -> None:
    assert stem_of(named(pattern)) == stem
    assert as_written(named("paintings/van-gogh-*.jpg")) == "Van gogh"
    assert stem_of("styles/night.sky.jpg") == "night.sky"


def test_its_digest_is_that_of_its_pictures_in_any_order() -> None:
    assert digest(["b", "a", "b"]) == digest(["a", "b"]) != digest(["a", "c"])


def test_a_manifest_elsewhere_has_it_by_its_other_name() -> None:
    row = {"content": "a.jpg", "style": {"collection": "monet/*.jpg"}}
    assert renamed(row, lambda name: f"../{name}") == {"content": "../a.jpg", "style": "collection:../monet/*.jpg"}
    assert parse_styles("collection:../monet/*.jpg") == (NamedStyle("collection:../monet/*.jpg"),)
