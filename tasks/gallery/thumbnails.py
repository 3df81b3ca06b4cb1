"""Pictures for a page: small WebP copies to look over, and large ones to look at. Each is made once."""

from __future__ import annotations

import io
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from prefect import task

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.gallery.fitting import mosaic
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.storage.cache import as_file
from stylebatch.tasks.storage.files import sha256_of, write_atomically
from stylebatch.tasks.storage.places import Place

THUMBNAIL = 320  # pixels of the longer side: two for each of a screen with fine pixels
QUALITY_SMALL, QUALITY_LARGE = 78, 90  # WebP's scale


@dataclass(frozen=True)
class Copy:
    """A copy to be made: ``source``, whose bytes have the digest ``sha256``, as ``target``.

    ``longer`` is the longer side in pixels (a thumbnail is never larger than its source); without it the file is taken
    as it is. Of a collection, it is a mosaic of its ``members``, and the digest is theirs.
    """

    source: Place
    sha256: str
    target: Path
    longer: int | None
    members: tuple[Place, ...] = ()


def copy_of(source: Place, sha256: str, folder: Path, longer: int | None, members: tuple[Place, ...] = ()) -> Copy:
    """A copy named by what it shows: the same name is the same picture, whichever gallery asks for it."""
    name = f"{sha256[:32]}{source.suffix}" if longer is None else f"{sha256[:32]}-{longer}.webp"
    return Copy(source, sha256, folder / name, longer, members)


@task(task_run_name="copy {copies[0].target.name} …", retries=2, retry_delay_seconds=1)
def make_copies(copies: Sequence[Copy]) -> dict[str, str]:
    """Make those copies that are not there.

    Returns:
        Name of the target to what is wrong, for each that cannot be made.
    """
    problems = {}
    for copy in copies:
        if not copy.target.exists():
            try:
                _make(copy)
            except (BadInput, FileNotFoundError, PermissionError) as error:
                problems[copy.target.name] = _reason(copy.source, error)
    return problems


def _reason(source: Place, error: Exception) -> str:
    if isinstance(error, FileNotFoundError) or (isinstance(source, Path) and not source.exists()):
        return f"{source.name} is not there any more"
    return str(error)


def _make(copy: Copy) -> None:
    if copy.longer is None:
        _link(copy)
        return
    try:
        picture = mosaic(copy.members, copy.longer) if copy.members else load_picture(copy.source, copy.sha256)
    except BadInput:
        if not copy.members and _has_changed(copy):
            raise BadInput(f"{copy.source.name} was changed since the run") from None
        raise
    small = copy.longer == THUMBNAIL
    longer = min(copy.longer, max(picture.size)) if small else copy.longer
    buffer = io.BytesIO()
    resize(picture, longer).save(buffer, "WEBP", quality=QUALITY_SMALL if small else QUALITY_LARGE)
    write_atomically(copy.target, buffer.getvalue())


def _has_changed(copy: Copy) -> bool:
    try:
        return sha256_of(copy.source) != copy.sha256
    except (BadInput, OSError):
        return False


def _link(copy: Copy) -> None:
    """The same bytes: as a link, which costs no room, where the file system has links."""
    if sha256_of(copy.source) != copy.sha256:
        raise BadInput(f"{copy.source.name} was changed since the run")
    with as_file(copy.source) as file:
        _take_over(copy, file)


def _take_over(copy: Copy, file: Path) -> None:
    temporary = copy.target.with_name(f".{uuid.uuid4().hex}.part")
    copy.target.parent.mkdir(parents=True, exist_ok=True)
    try:
        try:
            if file != copy.source:  # what is linked could be written to, and the cache is everybody's
                raise OSError
            os.link(file.resolve(), temporary)
        except OSError:
            shutil.copyfile(file, temporary)
        os.replace(temporary, copy.target)
    finally:
        temporary.unlink(missing_ok=True)


def size_of(copy: Path) -> tuple[int, int]:
    """Width and height of a copy, by its header."""
    with Image.open(copy) as picture:
        return picture.size
