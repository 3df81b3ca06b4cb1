"""Globs: hidden names and results of runs are left out, here and in object stores, and an ending counts in any case."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from upath import UPath

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.globs import expand
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place


@pytest.fixture(params=["here", "store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A folder of photographs, with two runs below it, of which one is that of ``my.yaml``."""
    root: Place = tmp_path if request.param == "here" else UPath(f"memory://{uuid.uuid4().hex}/in")
    names = ["day/b.png", "day/IMG.JPG", "day/a.jpg", "day/._a.jpg", ".hidden/c.jpg", "day/.thumbs/d.png"]
    names += ["outputs/my/images/b.png", "outputs/my/grids/0.png", "elsewhere/images/x.png", "killed/.store/records/x"]
    names += ["killed/images/y.png", "other/images/z.png", "gallery/pictures/0.png", "gallery/figures.parquet"]
    for name in names:
        write_atomically(root / name, b"")
    for run, manifest in (("outputs/my", root / "my.yaml"), ("elsewhere", root / "other.yaml")):
        write_atomically(root / run / "run.json", json.dumps({"manifest": str(manifest), "rows": 1}).encode())
    write_atomically(root / "other/run.json", b'{"epochs": 3}')
    return root


def found(folder: Place, *patterns: str) -> list[str]:
    return list(expand(folder, list(patterns), "contents", folder / "my.yaml"))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**/*.png", ["day/b.png", "other/images/z.png"]),
        ("*/*.png", ["day/b.png"]),
        ("day/*.jpg", ["day/IMG.JPG", "day/a.jpg"]),
        ("day/*.JPG", ["day/IMG.JPG", "day/a.jpg"]),
        ("day/._*.jpg", ["day/._a.jpg"]),
        (".hidden/*.jpg", [".hidden/c.jpg"]),
        ("*/images/*.png", ["other/images/z.png"]),
        ("*/*/*.png", ["other/images/z.png"]),
        ("elsewhere/images/*.png", ["elsewhere/images/x.png"]),
        ("day/*", ["day/IMG.JPG", "day/a.jpg", "day/b.png"]),
    ],
)
def test_what_a_glob_stands_for(folder: Place, pattern: str, names: list[str]) -> None:
    assert found(folder, pattern) == names


def test_a_whole_url_or_path_leaves_the_same_out(folder: Place) -> None:
    assert found(folder, f"{folder}/*/*.png") == [f"{folder}/day/b.png"]


@pytest.mark.parametrize("pattern", ["outputs/my/images/*.png", "outputs/**/*.png", "k*/images/*.png", "day/.*/*.gif"])
def test_where_nothing_is_left_it_is_told(folder: Place, pattern: str) -> None:
    with pytest.raises(BadRequest, match=r"contents: nothing matches .*"):
        found(folder, pattern)


def test_what_was_left_out_is_told(folder: Place) -> None:
    with pytest.raises(BadRequest, match="but 1 hidden files or results of runs, which are left out"):
        found(folder, "outputs/my/images/*.png")
