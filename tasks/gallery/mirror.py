"""A gallery's folder in an object store: made on this machine, and put there when it is whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.storage.files import names_in, read_bytes, remove, write_atomically
from stylebatch.tasks.storage.places import Place

AT_ONCE = 16  # requests
# What the next gallery in the same folder goes by.
KEPT = ("index.html", "figures.parquet")
PICTURES = "pictures"  # named by what they show: one that is there is the same


@contextmanager
def on_this_machine(folder: Place) -> Iterator[Path]:
    """``folder``, or where that is in an object store one of this machine, whose files are put there at the end.

    Raises:
        BadRequest: the store cannot be read or written to.
    """
    if isinstance(folder, Path):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="stylebatch-gallery-") as name:
        local = Path(name)
        with _refused(folder):
            for kept in KEPT:
                with suppress(FileNotFoundError):
                    (local / kept).write_bytes(read_bytes(folder / kept))
        yield local
        with _refused(folder):
            _put(local, folder)


@contextmanager
def _refused(folder: Place) -> Iterator[None]:
    try:
        yield
    except (BadInput, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadRequest(f"cannot write to {folder}: {reason}; choose another with --out") from None


def _put(local: Path, folder: Place) -> None:
    """Pictures that are there are not sent again, those that are not shown any more go, and the page comes last."""
    there = set(names_in(folder / PICTURES))
    files = [file.relative_to(local).as_posix() for file in sorted(local.rglob("*")) if file.is_file()]
    shown = {Path(file).name for file in files if file.startswith(f"{PICTURES}/")}
    new = [file for file in files if not (file.startswith(f"{PICTURES}/") and Path(file).name in there)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        others = [file for file in new if file != KEPT[0]]
        list(threads.map(lambda file: write_atomically(folder / file, (local / file).read_bytes()), others))
        write_atomically(folder / KEPT[0], (local / KEPT[0]).read_bytes())
        list(threads.map(lambda name: remove(folder / PICTURES / name), there - shown))
