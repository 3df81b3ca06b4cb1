"""Files that appear whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import suppress
from pathlib import Path

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.storage.cache import as_file, forget
from stylebatch.tasks.storage.facts import known
from stylebatch.tasks.storage.object_stores import clear_errors, file_system, listing
from stylebatch.tasks.storage.places import Place, is_web


def write_atomically(path: Place, data: bytes) -> None:
    """Write ``data`` to ``path`` so that a reader, also after a crash, sees the old file or the new one.

    Object stores make a file visible when all of it has come, in one request or in the parts of one upload.

    Raises:
        BadInput, OSError: it cannot be written; as `clear_errors` of `storage.object_stores` in an object store.
    """
    if not isinstance(path, Path):
        if is_web(path):
            raise BadInput(f"{path}: nothing can be written over http(s)")
        with clear_errors(path):
            file_system(path).pipe_file(path.path, data)
        forget(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_bytes(path: Place) -> bytes:
    """A file's bytes as they are now, past the cache.

    Raises:
        BadInput, OSError: it cannot be read; as `clear_errors` of `storage.object_stores` in an object store.
    """
    if isinstance(path, Path):
        return path.read_bytes()
    if is_web(path):
        with as_file(path) as file:
            return file.read_bytes()
    with clear_errors(path):
        data: bytes = file_system(path).cat_file(path.path)
    return data


def names_in(folder: Place) -> list[str]:
    """The names of the files in a folder; none where there is no such folder.

    Raises:
        BadInput, OSError: it cannot be listed.
    """
    if not isinstance(folder, Path):
        return list(listing(folder))
    return [file.name for file in folder.iterdir()] if folder.is_dir() else []


def everything_in(folder: Place) -> list[str]:
    """The names of the files and folders in a folder; none where there is no such folder.

    Raises:
        NotADirectoryError: it is a file.
        BadInput, OSError: it cannot be listed.
    """
    try:
        if isinstance(folder, Path):
            return [entry.name for entry in folder.iterdir()]
        with clear_errors(folder):
            listed = file_system(folder).ls(folder.path, detail=False)
    except FileNotFoundError:
        return []
    # A store may list the folder itself.
    return [name for path in listed if (name := str(path).rstrip("/").rpartition("/")[2]) != folder.name]


def exists(path: Place) -> bool:
    """Whether there is a file or folder; also not where that cannot be told."""
    if isinstance(path, Path):
        return path.exists()
    try:
        with clear_errors(path):
            return bool(file_system(path).exists(path.path))
    except (BadInput, OSError):
        return False


def remove(path: Place) -> None:
    """Remove a file, if it is there.

    Raises:
        BadInput, OSError: it cannot be removed.
    """
    if isinstance(path, Path):
        path.unlink(missing_ok=True)
        return
    with suppress(FileNotFoundError), clear_errors(path):
        file_system(path).rm_file(path.path)
    forget(path)


def sha256_of(path: Place) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""

    def find() -> str:
        with as_file(path) as local, local.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return known(path, "sha256", find)


def has_digest(path: Place, sha256: str) -> bool:
    """Whether a file's bytes have this SHA-256."""
    return sha256_of(path) == sha256
