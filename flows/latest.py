"""The newest picture of a run that goes on: as ``latest.png`` in its folder, and in a terminal that can show it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from rich.console import Console

from stylebatch.tasks.progress import Settled
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place

NAME = "latest"  # with the ending of what it is
EVERY = 2.0  # seconds from one picture to the next: a network paints many a second
LINES = 16  # of a terminal, as high as a picture is shown


class Latest:
    """Told of rows as they are settled.

    Args:
        folder: the run's. In one of an object store nothing is written: its pictures are seen there.
        show: shows a picture's file.
        every: seconds.
    """

    def __init__(self, folder: Place, show: Callable[[Path], None] | None = None, every: float = EVERY) -> None:
        self._folder = folder
        self._show = show
        self._every = every
        self._at = float("-inf")

    def __call__(self, settled: Sequence[Settled]) -> None:
        made = [one.output for one in settled if one.output]
        if not isinstance(self._folder, Path) or not made or time.monotonic() - self._at < self._every:
            return
        self._at = time.monotonic()
        with suppress(Exception):  # it is only for the eyes, and a terminal may be of no size
            file = self._folder / f"{NAME}{PurePosixPath(made[-1]).suffix}"
            write_atomically(file, (self._folder / made[-1]).read_bytes())
            if self._show:
                self._show(file)


def shower(console: Console) -> Callable[[Path], None] | None:
    """What shows a picture's file in the terminal, by Sixel or Kitty's protocol; none where it has neither.

    To be called before anything else reads from the terminal, which is asked what it can.
    """
    from textual_image.renderable import Image, SixelImage, TGPImage

    if Image not in (SixelImage, TGPImage):
        return None
    return lambda file: console.print(Image(file, height=LINES))
