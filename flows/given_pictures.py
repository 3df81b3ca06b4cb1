"""Pictures that a caller has in memory, as files that everything else can read, and be sure of by their digests."""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from PIL import Image

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.decode import to_rgb
from stylebatch.tasks.storage.files import write_atomically

Picture = str | os.PathLike[str] | Image.Image
_lock = Lock()
_readers: Counter[Path] = Counter()  # calls that need a file now


@contextmanager
def named_pictures() -> Iterator[Callable[[str, Picture], str]]:
    """Within this, pictures can be read by the names that they are given here.

    Gives a function of an argument's name and its picture. A path or URL is its own name; a picture of Pillow's becomes
    a file, which goes when nobody is within this any more who has given the same one. The same picture has the same
    name each time, so that what was computed of it is found again.
    """
    files: list[Path] = []

    def name(argument: str, picture: Picture) -> str:
        if isinstance(picture, str | os.PathLike):
            return os.fspath(picture)
        if not isinstance(picture, Image.Image):
            raise BadInput(f"{argument}: is a path or URL, or a picture of Pillow's, not {picture!r}")
        files.append(_write(argument, picture))
        return str(files[-1])

    try:
        yield name
    finally:
        with _lock:
            for file in files:
                _readers[file] -= 1
                if not _readers[file]:
                    del _readers[file]
                    file.unlink(missing_ok=True)


def _write(argument: str, picture: Image.Image) -> Path:
    try:
        rgb = to_rgb(picture)
    except BadInput as error:
        raise BadInput(f"{argument}: {error}") from None
    except Exception as error:  # decoders raise whatever they come across
        raise BadInput(f"{argument}: is truncated or damaged: {error}") from None
    buffer = io.BytesIO()
    rgb.save(buffer, "BMP")  # without compression, which would take longer than to stylize a small picture
    data = buffer.getvalue()
    file = _folder() / hashlib.sha256(data).hexdigest() / f"{argument}.bmp"  # a name that an error can tell
    with _lock:
        if not _readers[file]:
            write_atomically(file, data)
        _readers[file] += 1
    return file


@cache
def _folder() -> Path:
    return Path(_temporary().name)


@cache
def _temporary() -> TemporaryDirectory[str]:
    """It goes with the process."""
    return TemporaryDirectory(prefix="stylebatch-", ignore_cleanup_errors=True)
