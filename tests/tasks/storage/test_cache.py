"""The cache of what is read from other places."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image
from upath import UPath

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.storage import cache
from stylebatch.tasks.storage.files import read_bytes, sha256_of, write_atomically

Reads = list[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UPath]:
    """A folder in memory, read through a cache of 1,000 bytes."""
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    monkeypatch.setenv(cache.LIMIT, "1e-6")
    monkeypatch.setattr(cache, "_added", 0)
    cache.forget()
    yield UPath(f"memory://{uuid.uuid4().hex}")
    cache.forget()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """The names of the files that are really read."""
    names: Reads = []
    real = MemoryFileSystem.get_file

    def counted(self: MemoryFileSystem, rpath: str, lpath: str, **options: object) -> None:
        names.append(rpath.rpartition("/")[2])
        real(self, rpath, lpath, **options)

    monkeypatch.setattr(MemoryFileSystem, "get_file", counted)
    return names


def kept() -> list[Path]:
    return [file for file in (cache.folder() / "files").iterdir() if file.is_file()]


def read(place: UPath) -> bytes:
    with cache.as_file(place) as file:
        return file.read_bytes()


def test_a_file_of_this_machine_is_itself(tmp_path: Path, folder: UPath) -> None:
    (tmp_path / "a.txt").touch()
    with cache.as_file(tmp_path / "a.txt") as file:
        assert file == tmp_path / "a.txt"
    assert not cache.folder().exists()


def test_a_file_is_read_once_and_again_when_it_has_changed(folder: UPath, reads: Reads) -> None:
    write_atomically(folder / "a.jpg", b"old")
    assert [read(folder / "a.jpg") for _ in range(3)] == [b"old"] * 3
    cache.forget()
    assert read(folder / "a.jpg") == b"old"
    assert reads == ["a.jpg"]
    write_atomically(folder / "a.jpg", b"newer")
    assert read(folder / "a.jpg") == b"newer"
    assert reads == ["a.jpg"] * 2
    assert read_bytes(folder / "a.jpg") == b"newer"


def test_the_name_is_kept_as_far_as_it_is_safe(folder: UPath) -> None:
    for name, safe in (("a b.safetensors", "a b.safetensors"), ("...", "file"), ("a\\..:b.pth", "a_.._b.pth")):
        write_atomically(folder / name, b"data")
        with cache.as_file(folder / name) as file:
            assert file.name == safe
            assert file.is_relative_to(cache.folder())


def test_what_was_not_used_for_longest_goes_first(folder: UPath, reads: Reads) -> None:
    for number in range(4):
        write_atomically(folder / f"{number}", bytes([number]) * 300)
    for number in range(3):
        read(folder / f"{number}")
    for file, age in zip(sorted(kept(), key=lambda file: file.read_bytes()), (300, 200, 100), strict=True):
        os.utime(file, (0, file.stat().st_mtime - age))
    read(folder / "0")
    read(folder / "3")
    assert sorted({file.read_bytes()[0] for file in kept()}) == [0, 2, 3]
    assert sum(file.stat().st_size for file in kept()) <= 1000
    assert reads == ["0", "1", "2", "3"]
    assert read(folder / "1") == bytes([1]) * 300, "read anew"


def test_a_file_that_is_read_stays_though_it_is_removed(folder: UPath) -> None:
    write_atomically(folder / "large", b"x" * 900)
    write_atomically(folder / "larger", b"y" * 5000)
    with cache.as_file(folder / "large") as file:
        assert read(folder / "larger") == b"y" * 5000, "it has no room, and is there for its reader"
        assert file.read_bytes() == b"x" * 900
    assert sum(file.stat().st_size for file in kept()) <= 1000
    assert list((cache.folder() / "in-use").iterdir()) == []


def test_a_failure_leaves_nothing_behind(folder: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(folder / "a", b"data")

    def cut_off(self: MemoryFileSystem, rpath: str, lpath: str, **options: object) -> None:
        Path(lpath).write_bytes(b"da")
        raise ConnectionResetError(104, "Connection reset by peer")

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "get_file", cut_off)
        with pytest.raises(OSError, match="Connection reset by peer"):
            read(folder / "a")
    assert kept() == []
    assert list((cache.folder() / "in-use").iterdir()) == []
    assert read(folder / "a") == b"data"


def test_a_file_that_changes_while_it_is_read_is_read_again(folder: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(folder / "a", b"old")
    real, changes = MemoryFileSystem.get_file, [b"new"]

    def changing(self: MemoryFileSystem, rpath: str, lpath: str, **options: object) -> None:
        real(self, rpath, lpath, **options)
        if changes:
            self.pipe_file(rpath, changes.pop())

    monkeypatch.setattr(MemoryFileSystem, "get_file", changing)
    assert read(folder / "a") == b"new"
    assert len(kept()) == 1


def test_many_readers_at_once(folder: UPath) -> None:
    for number in range(8):
        write_atomically(folder / f"{number}", bytes([number]) * 400)
    barrier = threading.Barrier(8)

    def read_all(_: int) -> list[bytes]:
        barrier.wait()
        return [read(folder / f"{number}") for number in range(8) for _ in range(5)]

    with ThreadPoolExecutor(8) as threads:
        for found in threads.map(read_all, range(8)):
            assert found == [bytes([number]) * 400 for number in range(8) for _ in range(5)]


def test_a_missing_file_is_missing(folder: UPath) -> None:
    with pytest.raises(FileNotFoundError):
        read(folder / "none")
    write_atomically(folder / "deep" / "a", b"data")
    with pytest.raises(IsADirectoryError):
        read(folder / "deep")


def test_files_are_looked_up_by_a_listing_and_fetched_ahead(folder: UPath, reads: Reads) -> None:
    files = [folder / f"{number}" for number in range(30)]
    for file in files:
        write_atomically(file, b"x" * 20)
    sizes = cache.look_up([*files, folder / "none"])
    assert sizes == dict.fromkeys(files, 20)
    cache.fetch_ahead([*files, folder / "none", Path("local")])
    assert len(reads) == 25, "half of the cache is for what is fetched ahead"
    assert {sha256_of(file) for file in files} == {sha256_of(files[0])}
    assert len(reads) == 30


@pytest.mark.parametrize("given", ["much", "-1", "nan", "inf"])
def test_a_limit_that_is_no_size_is_told(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.LIMIT, given)
    with pytest.raises(BadRequest, match=f"STYLEBATCH_CACHE_GB={given}: it is the size of the cache in GB"):
        cache.limit()


def test_an_entry_that_is_not_what_it_should_be_is_read_anew(folder: UPath) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), "teal").save(buffer, "PNG")
    write_atomically(folder / "a.png", buffer.getvalue())
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    load_picture(folder / "a.png", digest)
    kept()[0].write_bytes(b"damaged")
    assert load_picture(folder / "a.png", digest).size == (4, 3)
