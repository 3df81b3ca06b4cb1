"""Object stores as `fsspec` speaks to them, with whatever goes wrong there told as the system's own errors."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.storage.places import STORES

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem
    from upath import UPath

T = TypeVar("T")
# Listings are asked for when they are needed, and others write too. One request a file: several files are asked for at
# once instead. Credentials and endpoints come from the environment, where each of the packages looks for them.
OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"use_listings_cache": False, "max_concurrency": 1},
    "gs": {"use_listings_cache": False},
    "az": {"use_listings_cache": False},
    "memory": {},
}
ALIASES = {"s3a": "s3", "gcs": "gs", "abfs": "az"}
# What tells one version of a file from the next, the surest first: digests are the same for copies, too.
_MARKS = ("md5Hash", "ETag", "etag", "generation", "LastModified", "last_modified", "mtime", "updated", "created")
_file_systems: dict[tuple[int, str], AbstractFileSystem] = {}


def options_of(protocol: str) -> dict[str, Any]:
    """What a protocol's file system is made with; nothing of it is secret."""
    return OPTIONS[ALIASES.get(protocol, protocol)]


def file_system(place: UPath) -> AbstractFileSystem:
    """The file system of a place: one for all threads of a process, which share its connections.

    Raises:
        ImportError: its package is not installed.
    """
    import fsspec

    known = os.getpid(), place.protocol  # a fork cannot use its parent's connections
    if known not in _file_systems:
        _file_systems[known] = fsspec.filesystem(place.protocol, **options_of(place.protocol))
    return _file_systems[known]


@contextmanager
def clear_errors(place: UPath) -> Iterator[None]:
    """Within this, what goes wrong at ``place`` is told as an `OSError` with a sentence, whatever package raises it.

    Raises:
        BadInput: trying again would not help: a package is missing, there is no such bucket or no such name.
        FileNotFoundError: there is no such file.
        PermissionError: there are no credentials, or they do not allow it.
        OSError: something else, which may pass: the store does not answer, or is too busy to.
    """
    try:
        yield
    except (BadInput, BadRequest):
        raise
    except ImportError:
        raise BadInput(f"{place.protocol}:// needs a package that is not there: {STORES[place.protocol]}") from None
    except FileNotFoundError as error:
        if "bucket" in str(error).lower() and str(place.path) not in str(error):
            raise BadInput(f"there is no bucket {place.protocol}://{place.parts[0].strip('/')}") from None
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(place)) from None
    except PermissionError as error:
        reason = _first_line(error)
        raise PermissionError(
            errno.EACCES, f"access denied ({reason}): check the credentials in the environment", str(place)
        ) from None
    except OSError as error:
        raise OSError(error.errno or errno.EIO, error.strerror or _first_line(error), str(place)) from None
    except Exception as error:  # packages let those of the packages below them through
        raise _translated(error, place) from None


def _translated(error: Exception, place: UPath) -> Exception:
    kind = type(error).__name__
    if "Credentials" in kind or kind == "DefaultCredentialsError":
        text = "no credentials in the environment: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        other = "no credentials in the environment"
        return PermissionError(errno.EACCES, text if place.protocol.startswith("s3") else other, str(place))
    if isinstance(error, ValueError) or kind == "ParamValidationError":
        return BadInput(f"{place} is no URL of a file: {(str(error).splitlines() or [kind])[-1].partition(': ')[0]}")
    return OSError(errno.EIO, f"the store does not answer as it should: {_first_line(error)}", str(place))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def version_in(info: dict[str, Any]) -> str:
    """What an entry of a listing, or `info`, tells of a file's version: another text means other bytes."""
    name = next((mark for mark in _MARKS if info.get(mark)), "")
    value = info.get(name, "")
    return f"{name}={value.timestamp() if isinstance(value, datetime) else value} {info.get('size')}"


def is_of_bytes(version: str) -> bool:
    """Whether a version is that of the bytes, so that a file with the same one elsewhere in the store has them too."""
    return version.partition("=")[0] in ("md5Hash", "ETag")


def _asked(folder: UPath, ask: Callable[[Any], T], nothing: T) -> T:
    """What a folder's store answers, or ``nothing`` where there is no such folder."""
    try:
        with clear_errors(folder):
            return ask(file_system(folder))
    except FileNotFoundError:
        return nothing


def listing(folder: UPath) -> dict[str, dict[str, Any]]:
    """The files in a folder, by their names; none where there is no such folder.

    Raises:
        BadInput, OSError: it cannot be listed.
    """
    entries: list[dict[str, Any]] = _asked(folder, lambda files: files.ls(folder.path, detail=True), [])
    return {str(entry["name"]).rpartition("/")[2]: entry for entry in entries if entry["type"] == "file"}


def tree(folder: UPath) -> dict[str, dict[str, Any]]:
    """The files in a folder and in those below it, by their paths from there; none where there is no such folder.

    Raises:
        BadInput, OSError: it cannot be listed.
    """
    entries: dict[str, dict[str, Any]] = _asked(folder, lambda files: files.find(folder.path, detail=True), {})
    above = f"{folder.path.strip('/')}/"
    return {str(path).lstrip("/").removeprefix(above): entry for path, entry in entries.items()}
