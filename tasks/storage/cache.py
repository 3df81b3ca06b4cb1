"""The cache of what is read from other places: files of this machine, of which those go that were not used for longest.

An entry belongs to a URL and to the version that the store has of it, appears whole or not at all, and is shared by all
processes. A reader gets a name of its own for the entry's bytes, so that they stay while they are read.
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import re
import shutil
import stat
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.storage.object_stores import clear_errors, file_system, listing, version_in
from stylebatch.tasks.storage.places import Place, is_web

if TYPE_CHECKING:
    from upath import UPath

FOLDER, LIMIT = "STYLEBATCH_CACHE", "STYLEBATCH_CACHE_GB"
DEFAULT_LIMIT = 2.0  # GB
LEFT_BEHIND = 3600.0  # seconds after which a file that is being written or read is one that nobody uses any more
LARGEST = 1_000_000_000  # bytes of a file; the largest of torchvision's weights have 575 MB
SPECIAL = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
AT_ONCE = 16  # requests
LISTED = 20  # files of one folder from which on it is listed, and not asked for each
ATTEMPTS = 3  # to get a version that does not change meanwhile
TRIMMED = 0.05  # share of the limit that a process may add before it looks at what is there
_versions: dict[str, str] = {}  # by URL, as this process has last seen them
_locks = [threading.Lock() for _ in range(64)]
_added = 0  # bytes since this process has last looked


def folder() -> Path:
    """Where the cache is: ``STYLEBATCH_CACHE``, or a folder among the user's caches."""
    return Path(os.environ.get(FOLDER) or platformdirs.user_cache_path("stylebatch"))


def limit() -> float:
    """How many bytes it may have: ``STYLEBATCH_CACHE_GB``, or 2 GB.

    Raises:
        BadRequest: that is no size.
    """
    given = os.environ.get(LIMIT) or DEFAULT_LIMIT
    with suppress(ValueError):
        if 0 <= float(given) < math.inf:
            return float(given) * 1e9
    raise BadRequest(f"{LIMIT}={given}: it is the size of the cache in GB, such as 2 or 0.5")


def forget(place: UPath | None = None) -> None:
    """Have the version of a file, or of all, looked at anew when it is next read."""
    if place is None:
        _versions.clear()
    else:
        _versions.pop(str(place), None)


def drop(place: UPath) -> None:
    """Have a file read anew: its entry is an older version, or not what it should be."""
    if name := name_of(place):
        (folder() / "files" / name).unlink(missing_ok=True)
    forget(place)


def name_of(place: UPath) -> str | None:
    """What stands for this version of a file; none where there is no such file, or it was not read from the web yet."""
    version = version_of(place)
    return _entry(place, version).name if version else None


@contextmanager
def as_file(place: Place) -> Iterator[Path]:
    """A file of this machine with the bytes that ``place`` has, by the same name, for as long as the context lasts.

    Raises:
        BadInput, OSError: as `clear_errors` of `storage.object_stores`, `storage.web.fetch` or `check_regular`.
    """
    if isinstance(place, Path):
        check_regular(place)
        yield place
        return
    own = folder() / "in-use" / uuid.uuid4().hex / _safe_name(place)
    own.parent.mkdir(parents=True)
    try:
        _provide(place, own)
        yield own
    finally:
        shutil.rmtree(own.parent, ignore_errors=True)


def check_regular(file: Path) -> None:
    """Refuse what could keep a reader waiting for ever, or has no end.

    Raises:
        BadInput: it is a pipe, a socket or a device, or larger than `LARGEST`.
        OSError: it is a folder, or there is none.
    """
    try:
        found = os.stat(file)
    except ValueError:  # a zero byte, or half of a character
        raise BadInput(f"{file.name!r} is no name that a file can have") from None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    for is_kind, kind in SPECIAL:
        if is_kind(found.st_mode):
            raise BadInput(f"{file.name} is {kind}, not a file")
    _check_size(file.name, found.st_size)


def _check_size(name: str, size: int) -> None:
    if size > LARGEST:
        raise BadInput(f"{name} has {size / 1e9:.1f} GB, over the limit of {LARGEST / 1e9:.0f} GB for a file")


def _safe_name(place: UPath) -> str:
    name = place.name.partition("?")[0] if is_web(place) else place.name
    return re.sub(r"[^\w. @+=,-]", "_", name)[-100:].lstrip(".") or "file"


def _provide(place: UPath, own: Path) -> None:
    with _locks[hash(str(place)) % len(_locks)]:  # what several threads need at once is read once
        for _ in range(ATTEMPTS):
            if (version := _version_of(place)) is not None:
                entry = _entry(place, version)
                with suppress(FileNotFoundError):  # it was not there yet, or is not any more
                    os.utime(entry)
                    _link(entry, own)
                    return
            _download(place, version, own)
            if own.exists():
                return
    raise OSError(f"{place.name} changes while it is read")


def _link(entry: Path, own: Path) -> None:
    try:
        os.link(entry, own)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(entry, own)


def _entry(place: UPath, version: str) -> Path:
    return folder() / "files" / hashlib.sha256(f"{place}\0{version}".encode()).hexdigest()


def _version_of(place: UPath) -> str | None:
    """The version of a file; none of one on the web, which is known when it has been read."""
    if str(place) not in _versions:
        if is_web(place):
            return None
        _versions[str(place)] = _ask(place)
    return _versions[str(place)]


def _ask(place: UPath) -> str:
    with clear_errors(place):
        info = file_system(place).info(place.path)
        if info["type"] != "file":
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        _check_size(place.name, info.get("size") or 0)
        return version_in(info)


def _download(place: UPath, version: str | None, own: Path) -> None:
    """Read a file into the cache, and let ``own`` be its bytes, unless it has changed meanwhile."""
    temporary = folder() / "files" / f".{uuid.uuid4().hex}.part"
    temporary.parent.mkdir(parents=True, exist_ok=True)
    try:
        if is_web(place):
            from stylebatch.tasks.storage import web

            with temporary.open("xb") as file:
                web.fetch(str(place), file)
            with temporary.open("rb") as file:
                version = hashlib.file_digest(file, "sha256").hexdigest()
        else:
            with clear_errors(place):
                file_system(place).get_file(place.path, str(temporary))
            if (now := _ask(place)) != version:
                _versions[str(place)] = now
                return
        assert version is not None
        _versions[str(place)] = version
        _link(temporary, own)
        os.replace(temporary, _entry(place, version))
    finally:
        temporary.unlink(missing_ok=True)
    _trim(own.stat().st_size)


def _trim(added: int) -> None:
    """Remove what was not used for longest, until the rest is within the limit, and what killed processes left."""
    global _added
    _added += added
    if _added < TRIMMED * limit():
        return
    _added = 0
    entries = []
    for entry in os.scandir(folder() / "files"):
        with suppress(FileNotFoundError):  # another process trims too
            found = entry.stat()
            if not entry.name.startswith("."):
                entries.append((found.st_mtime, found.st_size, entry.path))
            elif time.time() - found.st_mtime > LEFT_BEHIND:
                os.unlink(entry.path)
    over = sum(size for _, size, _ in entries) - limit()
    for _, size, path in sorted(entries):
        if over <= 0:
            break
        Path(path).unlink(missing_ok=True)
        over -= size
    for used in os.scandir(folder() / "in-use"):
        with suppress(FileNotFoundError):
            if time.time() - used.stat().st_mtime > LEFT_BEHIND:
                shutil.rmtree(used.path, ignore_errors=True)


def version_of(place: UPath) -> str:
    """The version that this process has last seen of a file, or sees now; empty where there is no such file."""
    try:
        return _version_of(place) or ""
    except (BadInput, OSError):
        return ""


def look_up(places: Iterable[Place]) -> dict[UPath, int]:
    """See the versions of files, by a listing where many are in one folder: what is read next asks for none of them.

    Returns:
        The sizes of those that were found by a listing.
    """
    by_folder: dict[UPath, list[UPath]] = defaultdict(list)
    for place in dict.fromkeys(places):
        if not isinstance(place, Path) and not is_web(place):
            by_folder[place.parent].append(place)
    sizes: dict[UPath, int] = {}
    single: list[UPath] = []
    for parent, files in by_folder.items():
        for file in files:
            forget(file)
        if len(files) < LISTED:
            single += files
            continue
        with suppress(BadInput, OSError):  # each of them tells it when it is read
            there = listing(parent)
            for file in files:
                if file.name in there:
                    _versions[str(file)] = version_in(there[file.name])
                    sizes[file] = int(there[file.name].get("size") or 0)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(version_of, single))
    return sizes


def fetch_ahead(places: Iterable[Place], needed: Callable[[UPath], bool] = lambda place: True) -> None:
    """Read files into the cache, several at once, as far as half of it has room for them.

    Args:
        needed: whether the bytes of a file are needed, once its version has been seen.
    """
    asked = [place for place in dict.fromkeys(places) if not isinstance(place, Path)]
    if not asked:
        return
    sizes = look_up(asked)
    wanted = filter(needed, asked)
    room = limit() / 2
    chosen = []
    for place in wanted:
        room -= sizes.get(place, 0)
        if room < 0:
            break
        chosen.append(place)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(_try, chosen))


def _try(place: UPath) -> None:
    with suppress(Exception), as_file(place):  # whoever reads it will tell
        pass
