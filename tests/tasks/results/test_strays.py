"""What an earlier request has left in ``images/``: it goes where the store has it, and is kept apart where not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.results.strays import BEFORE, clear_images
from tests.object_store import Bucket


def names(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder: two pictures in the store, each as a link in ``images/``, and in a folder within it as a copy."""
    pictures, images = tmp_path / ".store/pictures", tmp_path / "images"
    pictures.mkdir(parents=True)
    (images / "beach").mkdir(parents=True)
    for key in ("k1", "k2"):
        (pictures / f"{key}.png").write_text(f"picture {key}")
        os.link(pictures / f"{key}.png", images / f"{key}-link.png")
        shutil.copy2(pictures / f"{key}.png", images / "beach" / f"{key}-copy.png")
    return tmp_path


def test_what_the_store_has_goes_and_what_is_asked_for_stays(run: Path) -> None:
    clear_images(run, {"images/k1-link.png", "images/never/made.png"}, {})
    assert names(run) == [".store/pictures/k1.png", ".store/pictures/k2.png", "images/k1-link.png"]
    assert not (run / "images/beach").exists(), "an empty folder would be a class of pictures"
    assert not (run / BEFORE).exists()


def test_what_is_to_come_stays_where_it_is_that_very_picture(run: Path) -> None:
    """Another process may be at the same request."""
    clear_images(run, set(), {"images/k1-link.png": "k1.png", "images/k2-link.png": "k1.png"})
    assert names(run / "images") == ["k1-link.png"]


def test_what_somebody_has_put_there_or_altered_is_kept_apart(run: Path) -> None:
    (run / "images/mine.txt").write_text("notes")
    (run / "images/beach/k2-copy.png").write_text("retouched")
    (run / "images/.hidden").write_text("")
    clear_images(run, {"images/k1-link.png"}, {})
    assert names(run / "images") == [".hidden", "k1-link.png"]
    (aside,) = (run / BEFORE).iterdir()
    assert names(aside) == ["beach/k2-copy.png", "mine.txt"]
    assert (aside / "beach/k2-copy.png").read_text() == "retouched"


def test_one_that_is_killed_has_lost_nothing_and_the_next_does_the_rest(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run / "images/mine.txt").write_text("notes")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            clear_images(run, {"images/k1-link.png"}, {})
    assert (run / "images/mine.txt").exists()
    assert (run / "images/k1-link.png").exists()
    clear_images(run, {"images/k1-link.png"}, {})
    assert names(run / "images") == ["k1-link.png"]
    assert [file.read_text() for file in (run / BEFORE).rglob("*.txt")] == ["notes"]
    assert names(run / ".store/pictures") == ["k1.png", "k2.png"]


def test_nothing_is_done_where_there_is_nothing_to_do(run: Path, tmp_path: Path) -> None:
    clear_images(tmp_path / "nowhere", set(), {})
    before = names(run)
    clear_images(run, {name for name in before if name.startswith("images/")}, {})
    assert names(run) == before


def test_what_cannot_be_moved_is_told(run: Path) -> None:
    (run / "images/mine.txt").write_text("notes")
    (run / BEFORE).write_text("a file where the folder should be")
    with pytest.raises(BadRequest, match="results of an earlier request cannot be moved out of"):
        clear_images(run, set(), {})


def test_in_an_object_store_it_is_the_same(bucket: Bucket) -> None:
    from upath import UPath

    for key in ("k1", "k2"):
        bucket.put(f"out/.store/pictures/{key}.png", f"picture {key}")
        bucket.put(f"out/images/beach/{key}.png", f"picture {key}")
    bucket.put("out/images/mine.txt", "notes")
    coming = {"images/beach/k2.png": "k2.png"}
    clear_images(UPath(bucket.url("out")), {"images/beach/k1.png"}, coming)
    assert bucket.names("out/images") == ["out/images/beach/k1.png", "out/images/beach/k2.png"]
    clear_images(UPath(bucket.url("out")), set(), {"images/beach/k2.png": "k1.png"})
    assert bucket.names("out/images") == []
    (aside,) = bucket.names(f"out/{BEFORE}")
    assert aside.endswith("/mine.txt")
    assert bucket.get(aside) == b"notes"
