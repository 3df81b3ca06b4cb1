"""Why a file that a row names is not there: what people write that a program reads otherwise."""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.storage.places import Place

FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
NEAR = 0.75  # of 1, how like names have to be without their endings
LISTED = 10_000  # names of a folder that are looked at


def refuse_missing(name: str, folder: Place, place: Place) -> None:
    """Refuse a name that no file of this machine has; an object store is asked when the file is read.

    Args:
        name: as it is written.
        folder: what names are relative to.
        place: that ``name`` stands for.

    Raises:
        BadInput: there is no such file; the text says where it was looked for, and what may have been meant.
    """
    if not isinstance(place, Path) or place.exists():
        return
    within = "" if Path(name).is_absolute() else f" in {folder}"
    hint = next((f"; {hint}" for hint in _hints(name, folder, place)), "")
    raise BadInput(f"there is no file {name!r}{within}{hint}")


def _hints(name: str, folder: Place, place: Path) -> Iterator[str]:
    base = folder if isinstance(folder, Path) else Path("/")

    def there(other: str) -> bool:
        return other != name and (base / other).is_file()

    if there(name.strip()):
        yield "there is one without the blanks around the name"
    for form in FORMS:
        if there(unicodedata.normalize(form, name)):
            yield f"there is one whose accents are written in another Unicode form ({form}): rename it"
    if "\\" in name:
        yield "write / between folders, not \\"
    if name.startswith("~"):
        yield "~ is not read here: write the whole path"
    if any(character in name for character in "*?["):
        yield "globs are for contents and styles of a YAML manifest: name one file"
    if not Path(name).is_absolute() and Path(name).exists():
        yield f"there is one in {Path.cwd()}, but names are relative to the manifest's folder"
    if place.parent.is_dir():
        with os.scandir(place.parent) as entries:
            stems = {Path(entry.name).stem.casefold(): entry.name for entry in islice(entries, LISTED)}
        near = difflib.get_close_matches(place.stem.casefold(), stems, n=1, cutoff=NEAR)
        if near:
            yield f"did you mean {stems[near[0]]!r}?"
    else:
        yield f"there is no folder {str(Path(name).parent)!r} either"
