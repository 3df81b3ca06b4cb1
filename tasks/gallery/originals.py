"""Content or style pictures that runs name, each once however many rows and runs name it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.gallery.names import as_written
from stylebatch.tasks.gallery.thumbnails import Copy, copy_of
from stylebatch.tasks.request.collections import pattern_of
from stylebatch.tasks.runs.run_folder import Original
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.storage.places import Place


class Originals:
    """Pictures by their bytes, or by their path where there are none; copies of them go to ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, int] = {}
        self._digests: dict[Place, str | None] = {}
        self.all: list[Original] = []

    def place(self, original: Original) -> int:
        """The place of a picture in ``all``."""
        sha256 = original.sha256 or self._digest(original.path)
        known_by = sha256 or str(original.path)
        if known_by not in self._places:
            self._places[known_by] = len(self.all)
            self.all.append(Original(original.name, original.path, sha256, members=original.members))
        return self._places[known_by]

    def _digest(self, path: Place) -> str | None:
        """A failed row's report has no digests."""
        if path not in self._digests:
            try:
                self._digests[path] = sha256_of(path)
            except (OSError, BadInput):
                self._digests[path] = None
        return self._digests[path]

    def copy(self, place: int, longer: int) -> Copy | None:
        """A copy of a picture, if there is such a picture."""
        original = self.all[place]
        if not original.sha256:
            return None
        return copy_of(original.path, original.sha256, self._folder, longer, original.members)

    def labels(self, as_people_write: bool = False) -> list[str]:
        """The file's name of each, or its whole name in the manifest where two files are called the same."""
        short = [pattern_of(one.name) or Path(one.name).name or "no picture" for one in self.all]
        if as_people_write:
            short = [as_written(one.name or "no picture") for one in self.all]
        count = Counter(short)
        return [original.name if count[name] > 1 else name for original, name in zip(self.all, short, strict=True)]
