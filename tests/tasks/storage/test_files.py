"""Files appear whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from stylebatch.tasks.storage.files import sha256_of, write_atomically


def test_the_file_and_its_folders_appear(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folders" / "file"
    write_atomically(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a longer text than the new one")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        # Whoever has the old file open goes on reading the old file.
        assert reader.read() == b"a longer text than the new one"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.mkdir()
    with pytest.raises(OSError, match="file"):
        write_atomically(path, b"data")
    assert list(tmp_path.iterdir()) == [path]
    assert list(path.iterdir()) == []


def test_a_failure_in_the_middle_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("data", [b"", b"abc", bytes(range(256)) * 5000])
def test_the_digest_is_that_of_the_bytes(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert sha256_of(path) == hashlib.sha256(data).hexdigest()
