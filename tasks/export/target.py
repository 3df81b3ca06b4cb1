"""Where a data set goes: a folder of this machine, or one in an object store. It is there as a whole, or not at all.

On this machine it is made beside its place, and put there when it is done. A store has no such step: a note says that a
data set is not whole yet, and the next export into the same folder begins anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from stylebatch.tasks.errors import BadInput, BadRequest, told
from stylebatch.tasks.export.samples import Sample
from stylebatch.tasks.storage import cache
from stylebatch.tasks.storage.files import everything_in, read_bytes, remove, write_atomically
from stylebatch.tasks.storage.locks import FileLocks
from stylebatch.tasks.storage.object_stores import clear_errors, file_system, tree
from stylebatch.tasks.storage.places import Place, absolute, is_web

if TYPE_CHECKING:
    from upath import UPath

NOTE = ".stylebatch-export.json"  # hidden from those who read the data set
FINDERS = ".DS_Store"  # which a Mac puts into every folder that is looked at, and misses nowhere
AT_ONCE = 16  # requests


class Target(ABC):
    """A data set that is being written.

    Attributes:
        scratch: a folder of this machine for files that are being made.
        holds: the files and folders at its top.
    """

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.holds: set[str] = set()

    def take(self, sample: Sample) -> None:
        """Have a picture's file as it is, by its name.

        Raises:
            BadInput: it is not there, or not what the run has written.
        """
        self._take(sample)
        self.holds.add(sample.name.partition("/")[0])

    def put(self, file: Path, name: str) -> None:
        """Have a file that was made in the scratch folder, which goes from there."""
        self._put(file, name)
        self.holds.add(name)

    @abstractmethod
    def _take(self, sample: Sample) -> None: ...

    @abstractmethod
    def _put(self, file: Path, name: str) -> None: ...


class _Here(Target):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder / ".scratch")
        self._folder = folder
        self.scratch.mkdir()

    def _take(self, sample: Sample) -> None:
        """By a link, which costs no room, where both are in one file system that has links."""
        target = self._folder / sample.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(sample.source, Path):
            sample.check()
            with suppress(OSError):
                os.link(sample.source, target)
                return
        target.write_bytes(sample.read())  # nobody sees it before all of them are there

    def _put(self, file: Path, name: str) -> None:
        os.replace(file, self._folder / name)


class _Elsewhere(Target):
    def __init__(self, folder: UPath, scratch: Path) -> None:
        super().__init__(scratch)
        self._folder = folder

    def _take(self, sample: Sample) -> None:
        write_atomically(self._folder / sample.name, sample.read())

    def _put(self, file: Path, name: str) -> None:
        target = self._folder / name
        with clear_errors(target):
            file_system(target).put_file(str(file), target.path)
        file.unlink()


@contextmanager
def open_target(out: Place, overwrite: bool, about: dict[str, Any]) -> Iterator[Target]:
    """Within this, a data set is written into ``out``; where it is left by an error, there is none.

    Args:
        overwrite: let an earlier export that is there give way.
        about: what is to be noted of it.

    Raises:
        BadRequest: there are other things in the folder, or an export that is not to give way; it cannot be written
            to, or another process does.
    """
    place = out.resolve() if isinstance(out, Path) else out
    _refuse(out, _state(place), overwrite)
    locks, key = FileLocks(cache.folder() / "locks"), hashlib.sha256(f"export {absolute(place)}".encode()).hexdigest()
    locks.folder.mkdir(parents=True, exist_ok=True)
    if not locks.acquire_lock(key, "export", acquire_timeout=0):
        raise BadRequest(f"--out {out}: another process is exporting into it")
    try:
        with _here(place, about) if isinstance(place, Path) else _elsewhere(place, about) as target:
            yield target
    except (BadInput, OSError) as error:
        raise BadRequest(f"--out {out}: {told(error)}; nothing was left there") from None
    finally:
        locks.release_lock(key, "export")


def _state(place: Place) -> str:
    """``empty``; ``whole`` or ``unfinished`` where an export is there alone; or the name of what else is there.

    Raises:
        BadRequest: it is a file, or cannot be looked into.
    """
    if is_web(place):
        raise BadRequest(f"--out {place}: nothing can be written over http(s)")
    try:
        names = sorted(name for name in everything_in(place) if name != FINDERS)
        if NOTE not in names:
            return names[0] if names else "empty"
        note = json.loads(read_bytes(place / NOTE))
        if note["state"] != "whole":
            return "unfinished"
        return next((name for name in names if name != NOTE and name not in note["holds"]), "whole")
    except NotADirectoryError:
        raise BadRequest(f"--out {place}: it is a file; give a folder") from None
    except (BadInput, OSError) as error:
        raise BadRequest(f"--out {place}: {told(error)}") from None
    except (ValueError, KeyError, TypeError):
        return NOTE


def _refuse(out: Place, state: str, overwrite: bool) -> None:
    if state == "whole" and not overwrite:
        raise BadRequest(f"--out {out}: there is an export in it already; give --overwrite, or another folder")
    if state not in ("whole", "empty", "unfinished"):
        what = f"there is {state} in it, which no export has written"
        raise BadRequest(f"--out {out}: {what}; give an empty folder, or a new one")


@contextmanager
def _here(folder: Path, about: dict[str, Any]) -> Iterator[Target]:
    made, old = (folder.with_name(f".{folder.name}.{kind}") for kind in ("part", "old"))
    for left in (made, old):  # by an export that was killed
        shutil.rmtree(left, ignore_errors=True)
    made.mkdir(parents=True)
    try:
        target = _Here(made)
        yield target
        target.scratch.rmdir()
        write_atomically(made / NOTE, _note("whole", about, target.holds))
        if folder.exists():
            os.replace(folder, old)
        os.replace(made, folder)
    finally:
        for left in (made, old):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _elsewhere(folder: UPath, about: dict[str, Any]) -> Iterator[Target]:
    write_atomically(folder / NOTE, _note("unfinished", about, ()))
    _empty(folder)
    try:
        with TemporaryDirectory(prefix="stylebatch-export-") as scratch:
            target = _Elsewhere(folder, Path(scratch))
            yield target
        write_atomically(folder / NOTE, _note("whole", about, target.holds))
    except BaseException:
        with suppress(BadInput, OSError):
            _empty(folder)
            remove(folder / NOTE)
        raise


def _empty(folder: UPath) -> None:
    """Remove all but the note."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda name: remove(folder / name), (name for name in tree(folder) if name != NOTE)))


def _note(state: str, about: dict[str, Any], holds: Collection[str]) -> bytes:
    return json.dumps({"state": state, **about, "holds": sorted(holds)}).encode()
