"""What ``images/`` has that the latest request has no part in, and how it gets out of the way.

A picture that the store has as well goes, since the same request brings it back at once. Any other file was put there
or altered by somebody: it is moved to ``images-before/``, in a folder for each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stylebatch.tasks.errors import BadInput, BadRequest, told
from stylebatch.tasks.results.folders import Folders
from stylebatch.tasks.storage import cache
from stylebatch.tasks.storage.files import remove
from stylebatch.tasks.storage.object_stores import clear_errors, file_system, tree, version_in
from stylebatch.tasks.storage.places import Place

if TYPE_CHECKING:
    from upath import UPath

BEFORE = "images-before"
AT_ONCE = 32  # requests
# Two of these are of one file, or of a copy that nobody has touched.
_Mark = tuple[int | str, ...]


def clear_images(folder: Place, kept: Set[str], coming: Mapping[str, str]) -> None:
    """Leave in ``images/`` what the latest request has made, and what another process may be making for it.

    A run that is killed meanwhile has lost nothing; the next one does the rest. Hidden files are left alone.

    Args:
        folder: the run's.
        kept: the outputs that are there by right, relative to the folder.
        coming: the outputs that are still to be made, with the names of their pictures in the store. One that is there
            as that very picture stays.

    Raises:
        BadRequest: a file cannot be moved out of the way.
    """
    now = datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    try:
        if isinstance(folder, Path):
            _clear_here(Folders(folder), kept, coming, folder / BEFORE / now)
        else:
            _clear_elsewhere(Folders(folder), kept, coming, folder / BEFORE / now)
    except (BadInput, OSError) as error:
        raise BadRequest(f"results of an earlier request cannot be moved out of {folder}: {told(error)}") from None


def _strays(
    names: Iterator[str], kept: Set[str], coming: Mapping[str, str], is_picture: Callable[[str, str], bool]
) -> list[str]:
    """The names that have no place among the results, relative to the run's folder."""
    return [name for name in names if name not in kept and not (name in coming and is_picture(name, coming[name]))]


def _clear_here(folders: Folders[Path], kept: Set[str], coming: Mapping[str, str], aside: Path) -> None:
    folder = folders.folder

    def is_picture(name: str, picture: str) -> bool:
        with suppress(FileNotFoundError):
            return bool(_marks(os.stat(folder / name)) & _marks(os.stat(folders.pictures / picture)))
        return False

    strays = _strays(_files_below(folders.images, folders.images.name), kept, coming, is_picture)
    if not strays:
        return
    stored: set[_Mark] = set()
    with suppress(FileNotFoundError), os.scandir(folders.pictures) as entries:
        for entry in entries:
            stored |= _marks(entry.stat())
    for name in strays:
        stray = folder / name
        if _marks(os.stat(stray, follow_symlinks=False)) & stored:
            stray.unlink(missing_ok=True)
        else:
            target = aside / Path(name).relative_to(folders.images.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(stray, target)
    for parent in sorted({above for name in strays for above in Path(name).parents}, reverse=True):
        if parent not in (Path(), Path(folders.images.name)):
            with suppress(OSError):  # there is something left in it
                (folder / parent).rmdir()


def _marks(found: os.stat_result) -> set[_Mark]:
    return {("file", found.st_dev, found.st_ino), ("copy", found.st_size, found.st_mtime_ns)}


def _files_below(folder: Path, name: str) -> Iterator[str]:
    """The files in a folder and in those within it, by names that begin with ``name``."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(folder / entry.name, f"{name}/{entry.name}")
            else:
                yield f"{name}/{entry.name}"


def _clear_elsewhere(folders: Folders[UPath], kept: Set[str], coming: Mapping[str, str], aside: UPath) -> None:
    there = _versions(folders.images)
    stored: Mapping[str, str] = {}
    names = [f"{folders.images.name}/{name}" for name in there if not name.rpartition("/")[2].startswith(".")]
    if any(name not in kept for name in names):
        stored = _versions(folders.pictures)

    def version(name: str) -> str:
        return there[name.removeprefix(f"{folders.images.name}/")]

    def is_picture(name: str, picture: str) -> bool:
        return stored.get(picture) == version(name)

    strays = _strays(iter(names), kept, coming, is_picture)
    known = set(stored.values())
    with ThreadPoolExecutor(AT_ONCE) as threads:
        move = partial(_move, folders.folder, aside, known)
        list(threads.map(move, strays, map(version, strays)))


def _versions(folder: UPath) -> dict[str, str]:
    """The files in a folder and in those within it, with what tells their versions."""
    return {name: version_in(entry) for name, entry in tree(folder).items()}


def _move(folder: UPath, aside: UPath, known: Set[str], name: str, version: str) -> None:
    stray = folder / name
    if version not in known:
        target = aside / name.partition("/")[2]
        with clear_errors(target):
            file_system(target).cp_file(stray.path, target.path)
        cache.forget(target)
    remove(stray)
