"""Globs: the files that a pattern stands for, as a shell has it, on this machine and in object stores.

Left out are hidden names, and what runs have written: a run whose manifest asks for ``**/*.png`` must not take its own
results for photographs. The ending's letters count in either case, as cameras write them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Any

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.storage.cache import AT_ONCE
from stylebatch.tasks.storage.files import everything_in, read_bytes
from stylebatch.tasks.storage.object_stores import clear_errors, file_system
from stylebatch.tasks.storage.places import Place, absolute, is_url, is_web, join, to_place, without_secrets

GALLERY = "figures.parquet"  # what a gallery's folder has, wherever it lies
_WILD = re.compile(r"[*?\[]")
_ENDING = re.compile(r"(?<=\.)\w+$")


def expand(folder: Place, patterns: Any, where: str, manifest: Place | None = None) -> Iterator[str]:
    """The files that a list of names and globs stands for: in the list's order, and sorted within each glob.

    Args:
        folder: what they are relative to.
        where: they stand, for the text of an error.
        manifest: the one that asks, if one does: results of its own runs are left out even where they are named.

    Raises:
        BadRequest: nothing matches a glob, or it is no text.
    """
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        if not isinstance(pattern, str):
            raise BadRequest(f"{where} is a name or glob, or a list of them, not {pattern!r}")
        if not _WILD.search(pattern):
            yield pattern
        elif is_url(pattern) or (not isinstance(folder, Path) and not Path(pattern).is_absolute()):
            yield from _expand_remote(folder, pattern, where, manifest)
        else:
            yield from _expand_here(folder, pattern, where, manifest)


def expand_with_folders(folder: Place, patterns: Any, where: str, manifest: Place) -> Iterator[tuple[str, str]]:
    """As `expand`, each name with the folder that it lies in, below what its glob spells out."""
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        for name in expand(folder, [pattern], where, manifest):
            yield name, folder_of(name, pattern)


def folder_of(name: str, pattern: str = "") -> str:
    """The folder of a file, below what the glob spells out that has found it; the innermost where none has."""
    folders = _parts(name)[:-1]
    if _WILD.search(pattern):
        return "/".join(folders[_spelled(_parts(pattern)) :])
    return folders[-1] if folders and folders[-1] not in ("..", "/") else ""


def _spelled(parts: Sequence[str]) -> int:
    """How many of a pattern's parts are spelled out, before the first that is not."""
    return next((place for place, part in enumerate(parts) if _WILD.search(part)), len(parts))


def _expand_here(folder: Place, pattern: str, where: str, manifest: Place | None) -> Iterator[str]:
    anchor = Path(pattern).anchor
    above = Path(anchor) if anchor or not isinstance(folder, Path) else folder
    if (above / pattern).is_file():  # its name has characters that a pattern gives a meaning to
        yield pattern
        return
    relative = pattern.removeprefix(anchor)
    try:
        found = sorted(file for file in above.glob(_in_any_case(relative)) if file.is_file())
    except (ValueError, NotImplementedError, OSError) as error:
        raise BadRequest(f"{where}: {pattern} is no glob: {error}") from None
    names = {file.relative_to(above).as_posix(): file for file in found}
    kept = _without_results(list(names), relative, lambda part: above / part, manifest)
    _refuse_nothing(where, pattern, len(names), kept)
    yield from (names[name].as_posix() if anchor else name for name in kept)


def _expand_remote(parent: Place, pattern: str, where: str, manifest: Place | None) -> Iterator[str]:
    """As `expand`, in an object store; names are relative to ``parent`` where the pattern is."""
    shown = without_secrets(pattern)
    try:
        place = to_place(pattern) if is_url(pattern) else join(parent, pattern, allow_http=True)
        if isinstance(place, Path):
            raise BadInput("write it as a path")
        if is_web(place):
            if not is_url(pattern):
                raise BadInput("the web has no folders to list; name each file")
            yield pattern  # a question mark there begins a query
            return
        # The manifest's own folder may have characters that a pattern gives a meaning to.
        folder = "" if isinstance(parent, Path) else f"{parent.path.rstrip('/')}/"
        inside = bool(folder) and not is_url(pattern) and place.path.startswith(folder)
        relative = place.path.removeprefix(folder) if inside else place.path
        with clear_errors(place):
            asked = (escape(folder) if inside else "") + _in_any_case(relative)
            found = sorted(file_system(place).glob(asked, detail=True).items())
        start = len(folder) if inside else 0
        names = [name[start:].lstrip("/") for name, info in found if info["type"] == "file"]
        root = f"{place.protocol}://{folder.lstrip('/') if inside else ''}"
        kept = _without_results(names, relative.lstrip("/"), lambda part: to_place(root + part), manifest)
    except (BadInput, OSError) as error:
        raise BadRequest(f"{where}: {shown}: {error}") from None
    _refuse_nothing(where, shown, len(names), kept)
    yield from (name if inside else root + name for name in kept)


def _refuse_nothing(where: str, pattern: str, found: int, kept: Sequence[str]) -> None:
    if not kept:
        left = f" but {found} hidden files or results of runs, which are left out" if found else ""
        raise BadRequest(f"{where}: nothing matches {pattern}{left}")


def _in_any_case(pattern: str) -> str:
    """The pattern with an ending of which each letter may be small or large."""
    folder, slash, name = pattern.rpartition("/")
    if not _WILD.search(pattern):
        return pattern
    ending = _ENDING.sub(
        lambda found: "".join(
            f"[{letter.lower()}{letter.upper()}]" if letter.isascii() and letter.isalpha() else letter
            for letter in found[0]
        ),
        name,
    )
    return f"{folder}{slash}{ending}"


def _without_results(
    names: Sequence[str], pattern: str, within: Callable[[str], Place], manifest: Place | None
) -> list[str]:
    """The names but for hidden ones, and for what lies in the folder of a run.

    A hidden name, or the folder of another run, that the pattern itself spells out is meant.
    """
    asked = _parts(pattern)
    spelled = _spelled(asked)
    dotted = [part for part in asked if part.startswith(".")]
    folders = {"/".join(parts[:depth]) for parts in map(_parts, names) for depth in range(1, len(parts))}
    with ThreadPoolExecutor(AT_ONCE) as threads:  # a store takes some time to answer
        found = threads.map(lambda folder: _manifest_of_run(within(folder)), folders)
        runs = dict(zip(folders, found, strict=True))
    own = None if manifest is None else str(absolute(manifest))

    def is_kept(name: str) -> bool:
        parts = _parts(name)
        if any(part.startswith(".") and not any(fnmatchcase(part, one) for one in dotted) for part in parts):
            return False
        for depth in range(1, len(parts)):
            run = runs["/".join(parts[:depth])]
            if run is not None and (depth > spelled or run == own):
                return False
        return True

    return [name for name in names if is_kept(name)]


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name).parts


def _manifest_of_run(folder: Place) -> str | None:
    """The manifest of the run whose folder this is, as far as it is told; none where no run has written it."""
    try:
        run = json.loads(read_bytes(folder / "run.json"))
        return str(run["manifest"])
    except (FileNotFoundError, NotADirectoryError):
        return "" if {".store", GALLERY} & _children(folder) else None
    except (KeyError, TypeError):  # another program's
        return None
    except (OSError, BadInput, ValueError):
        return ""


def _children(folder: Place) -> set[str]:
    try:
        return set(everything_in(folder))
    except (BadInput, OSError):
        return set()
