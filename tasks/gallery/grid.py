"""Result grids: contents down, styles across, the originals in the margins, the final loss under each result.

Pairs that do not fill a product are shown as strips: content, style, result. All pages are one PDF, too.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from stylebatch.tasks.gallery.fitting import fitted
from stylebatch.tasks.gallery.grid_book import BOOK, write_book
from stylebatch.tasks.gallery.lettering import font, shorten
from stylebatch.tasks.gallery.names import as_written, style_title, title_of
from stylebatch.tasks.runs.report import Outcome, shown
from stylebatch.tasks.runs.sources import Sources
from stylebatch.tasks.storage.cache import fetch_ahead, look_up, version_of
from stylebatch.tasks.storage.files import names_in, read_bytes, remove, write_atomically
from stylebatch.tasks.storage.places import Place

CELL = 256  # pixels of a picture's longer side
GAP = 16
TEXT = 15  # pixels of a line's font
CAPTION = 2 * TEXT + 10
BACKGROUND, INK, FAINT, ALARM = "white", "#1a1a1a", "#666666", "#b00020"
# A page of 10 by 10 results is about 3,000 pixels in square: a screen's width at half size, and readable in print.
COLUMNS, ROWS = 10, 10
# More than this nobody leafs through, and each takes a second to draw: a gallery has them all.
PAGES = 20
LOOK = 3  # to be raised with every change of how a page is drawn
DIGEST = "stylebatch"  # the PNG text that tells what the page was drawn from


@dataclass(frozen=True)
class Cell:
    """A picture with up to two lines below it; a text in its place where there is none.

    Several pictures, each with its weight, share the cell as strips of their share of its width.
    """

    pictures: Sequence[tuple[Place, float]]
    title: str = ""
    note: str = ""
    missing: str = ""


T = TypeVar("T")
Page = Sequence[Sequence[Cell | None]]


def write_grids(outcomes: Sequence[Outcome], sources: Place, folder: Place, allow_http: bool = False) -> list[Place]:
    """Draw the pages of a run, the first `PAGES` of them. A page whose cells are what they were is left as it is.

    Args:
        sources: what the outcomes' content and style are relative to.
        folder: the run's folder; pages go to ``grids/`` within it, and those of an earlier run are removed.
        allow_http: let originals be read from the web.

    Returns:
        The pages' files.
    """
    files: list[Place] = []
    pages = list(islice(_pages(outcomes, Sources(sources, allow_http), folder), PAGES))
    look_up(picture for page in pages for picture in _pictures_of(page))
    kept = set(names_in(folder / "grids"))
    there = {name for name in kept if name.startswith("grid-") and name.endswith(".png")}
    drawn = False
    for number, page in enumerate(pages, start=1):
        file = folder / "grids" / f"grid-{number:03}.png"
        digest = _digest(page)
        if file.name not in there or _digest_in(file) != digest:
            fetch_ahead(_pictures_of(page))
            metadata = PngInfo()
            metadata.add_text(DIGEST, digest)
            buffer = io.BytesIO()
            _draw(page).save(buffer, "PNG", pnginfo=metadata)
            write_atomically(file, buffer.getvalue())
            drawn = True
        files.append(file)
    stale = there - {file.name for file in files}
    for name in stale:
        remove(folder / "grids" / name)
    if drawn or stale or (files and BOOK not in kept):
        write_book(files, folder / "grids" / BOOK)
    return files


def _pictures_of(page: Page) -> Iterator[Place]:
    return (path for row in page for cell in row if cell for path, _ in cell.pictures)


def _digest(page: Page) -> str:
    """Of all that a page shows: its texts, and its pictures by their size and time of change."""
    shown = [
        [
            ([(*_state_of(path), weight) for path, weight in cell.pictures], cell.title, cell.note, cell.missing)
            for cell in row
            if cell
        ]
        for row in page
    ]
    return hashlib.sha256(repr((LOOK, shown)).encode()).hexdigest()


def _state_of(picture: Place) -> tuple[str, int | str, int]:
    if not isinstance(picture, Path):
        return picture.name, version_of(picture), 0
    try:
        found = os.stat(picture)
    except OSError:
        return picture.name, 0, 0
    return picture.name, found.st_size, found.st_mtime_ns


def _digest_in(file: Place) -> str | None:
    """The digest in a page that was drawn before, if it is a whole one."""
    try:
        with Image.open(file if isinstance(file, Path) else io.BytesIO(read_bytes(file)), formats=("PNG",)) as drawn:
            digest = drawn.info.get(DIGEST)
    except (OSError, ValueError, SyntaxError):
        return None
    return digest if isinstance(digest, str) else None


def _pages(outcomes: Sequence[Outcome], locate: Sources, folder: Place) -> Iterator[Page]:
    """The pages, made one after another as they are asked for."""
    # A failed row has no settings on record: it belongs wherever its pair is missing.
    failures = [outcome for outcome in outcomes if outcome.record is None]
    texts: dict[int, str] = {}  # by identity: rows share their settings
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.record:
            settings = outcome.record.settings
            text = texts.get(id(settings)) or texts.setdefault(id(settings), settings.model_dump_json())
            groups[text].append(outcome)
    for _, group in sorted(groups.items()):
        rows = sorted([*group, *failures], key=lambda outcome: outcome.row)
        failures = []
        yield from _product_pages(rows, locate, folder) if _is_product(rows) else _strips(rows, locate, folder)


def _is_product(outcomes: Sequence[Outcome]) -> bool:
    """Whether each content meets each style once, and there is more than one of either."""
    pairs = {(outcome.content, outcome.style) for outcome in outcomes}
    contents, styles = ({pair[side] for pair in pairs} for side in (0, 1))
    return len(pairs) == len(outcomes) == len(contents) * len(styles) and len(pairs) > 1


def _product_pages(outcomes: Sequence[Outcome], locate: Sources, folder: Place) -> Iterator[Page]:
    by_pair = {(outcome.content, outcome.style): outcome for outcome in outcomes}
    contents = dict.fromkeys(outcome.content for outcome in outcomes)
    styles = dict.fromkeys(outcome.style for outcome in outcomes)
    for down in _even(list(contents), ROWS):
        for across in _even(list(styles), COLUMNS):
            header = [None, *(_style(style, locate) for style in across)]
            body = [
                [_original(content, locate), *(_result(by_pair[content, style], folder) for style in across)]
                for content in down
            ]
            yield [header, *body]


def _strips(outcomes: Sequence[Outcome], locate: Sources, folder: Place) -> Iterator[Page]:
    for rows in _chunks(outcomes, ROWS):
        yield [[_original(row.content, locate), _style(row.style, locate), _result(row, folder)] for row in rows]


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _even(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """As few parts as there have to be, and none much smaller than another: 12 by 10 are 6 and 6."""
    parts = math.ceil(len(items) / most)
    return _chunks(items, math.ceil(len(items) / parts))


def _original(name: str, locate: Sources) -> Cell:
    return Cell([(locate(name), 1.0)], title=as_written(name), missing="unreadable")


def _style(text: str, locate: Sources) -> Cell:
    return Cell(locate.weighted(text), title=style_title(text), missing="unreadable")


def _result(outcome: Outcome, folder: Place) -> Cell:
    title = title_of(outcome.id, as_written(outcome.content), style_title(outcome.style))
    if outcome.record is None or outcome.output is None:
        return Cell([], title=title, missing="failed")
    picture = folder / outcome.output
    return Cell([(picture, 1.0)], title=title, note=_note(outcome.record.total_loss))


def _note(loss: float | None) -> str:
    return "" if loss is None else f"loss {shown(loss)}"


def _draw(page: Page) -> Image.Image:
    pictures = [[fitted(cell.pictures, CELL) if cell else None for cell in row] for row in page]
    # A row is as high as its highest picture; a square stands for one that is missing.
    heights = [
        max(picture.height if picture else CELL if cell else 0 for cell, picture in zip(*row, strict=True))
        for row in zip(page, pictures, strict=True)
    ]
    columns = max(len(row) for row in page)
    size = GAP + columns * (CELL + GAP), GAP + sum(height + CAPTION + GAP for height in heights)
    sheet = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    top = GAP
    for row, height, row_pictures in zip(page, heights, pictures, strict=True):
        for across, (cell, picture) in enumerate(zip(row, row_pictures, strict=True)):
            if cell:
                left = GAP + across * (CELL + GAP)
                _draw_picture(sheet, draw, cell, picture, (left, top, left + CELL, top + height))
                _draw_caption(draw, cell, left + CELL // 2, top + height + 4)
        top += height + CAPTION + GAP
    return sheet


def _draw_picture(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    cell: Cell,
    picture: Image.Image | None,
    box: tuple[int, int, int, int],
) -> None:
    left, top, right, bottom = box
    if picture:
        # On the caption's line, so that a wide picture does not float away from its text.
        sheet.paste(picture, (left + (CELL - picture.width) // 2, bottom - picture.height))
    else:
        draw.rectangle(box, outline=ALARM)
        draw.text(((left + right) // 2, (top + bottom) // 2), cell.missing, ALARM, font(TEXT), anchor="mm")


def _draw_caption(draw: ImageDraw.ImageDraw, cell: Cell, middle: int, top: int) -> None:
    for line, (text, ink) in enumerate(((cell.title, INK), (cell.note, FAINT))):
        draw.text((middle, top + line * (TEXT + 3)), shorten(text, CELL, TEXT), ink, font(TEXT), anchor="ma")
