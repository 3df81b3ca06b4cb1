"""Contact sheets: a photograph and all of its styles on one page, each result with the style's picture beside it."""

from __future__ import annotations

import io
import math
from collections import defaultdict
from collections.abc import Sequence

from PIL import Image, ImageDraw

from stylebatch.tasks.gallery.fitting import BACKGROUND, fitted
from stylebatch.tasks.gallery.grid_book import LONG, SHORT, write_book
from stylebatch.tasks.gallery.lettering import font, shorten
from stylebatch.tasks.gallery.names import as_written, style_title
from stylebatch.tasks.runs.report import Outcome
from stylebatch.tasks.runs.sources import Sources
from stylebatch.tasks.storage.cache import fetch_ahead
from stylebatch.tasks.storage.files import names_in, remove, write_atomically
from stylebatch.tasks.storage.places import Place

SHEETS = "sheets.pdf"
# Pixels of a result's longer side, by how many are on a page: the more, the smaller, or no printer could show them.
SIDES = ((24, 360), (80, 260), (math.inf, 180))
MOST = 1000  # styles on a page; more would be too small to see
GAP, TEXT, HEADING = 24, 16, 34
INK, FAINT, ALARM = "#1a1a1a", "#666666", "#b00020"


def write_sheets(outcomes: Sequence[Outcome], sources: Place, folder: Place, allow_http: bool = False) -> list[Place]:
    """Draw a page for each photograph of a run, and all of them as one PDF.

    Args:
        sources: what the outcomes' content and style are relative to.
        folder: the run's folder. The pages go to ``grids/sheet-001.png`` … and ``grids/sheets.pdf`` within it; those of
            an earlier run are removed.
        allow_http: let originals be read from the web.

    Returns:
        The pages and the PDF.
    """
    locate = Sources(sources, allow_http)
    by_content: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in sorted(outcomes, key=lambda one: one.row):
        by_content[outcome.content].append(outcome)
    files: list[Place] = []
    for number, (content, results) in enumerate(by_content.items(), start=1):
        shown = results[:MOST]
        fetch_ahead([locate(content), *(place for one in shown for place, _ in locate.weighted(one.style))])
        buffer = io.BytesIO()
        _draw(content, shown, len(results), locate, folder).save(buffer, "PNG")
        file = folder / "grids" / f"sheet-{number:03}.png"
        write_atomically(file, buffer.getvalue())
        files.append(file)
    kept = {file.name for file in files}
    for name in names_in(folder / "grids"):
        if name.startswith("sheet-") and name.endswith(".png") and name not in kept:
            remove(folder / "grids" / name)
    book = folder / "grids" / SHEETS
    write_book(files, book)
    return [*files, book]


def _draw(content: str, results: Sequence[Outcome], styles: int, locate: Sources, folder: Place) -> Image.Image:
    side = next(side for most, side in SIDES if len(results) <= most)
    beside = side // 3  # the style's picture
    photograph = fitted([(locate(content), 1.0)], side)
    pictures = [fitted([(folder / one.output, 1.0)] if one.output else [], side) for one in results]
    height = max((one.height for one in (photograph, *pictures) if one), default=side)
    width, lines = side + beside + 6, height + TEXT + 12
    columns = _columns(len(results) + 1, width + GAP, lines + GAP)
    rows = math.ceil((len(results) + 1) / columns)
    page = Image.new("RGB", (columns * (width + GAP) + GAP, 2 * GAP + HEADING + rows * (lines + GAP)), BACKGROUND)
    draw = ImageDraw.Draw(page)
    heading = f"{as_written(content)} in {styles} styles" if styles > 1 else as_written(content)
    if styles > len(results):
        heading += f", of which these are the first {len(results)}"
    draw.text((GAP, GAP), shorten(heading, page.width - 2 * GAP, HEADING), INK, font(HEADING))
    for place in range(len(results) + 1):
        down, across = divmod(place, columns)
        left, top = GAP + across * (width + GAP), 2 * GAP + HEADING + down * (lines + GAP)
        bottom = top + height
        picture = pictures[place - 1] if place else photograph
        if picture:
            page.paste(picture, (left, bottom - picture.height))
        else:
            draw.rectangle((left, top, left + side, bottom), outline=ALARM)
            missing = "failed" if place else "unreadable"
            draw.text((left + side // 2, (top + bottom) // 2), missing, ALARM, font(TEXT), anchor="mm")
        caption, ink = "The photograph", FAINT
        if place:
            style = results[place - 1].style
            caption, ink = style_title(style), INK
            right = left + (picture.width if picture else side) + 6
            if thumbnail := fitted(locate.weighted(style), beside):
                page.paste(thumbnail, (right, bottom - thumbnail.height))
        draw.text((left, bottom + 6), shorten(caption, width, TEXT), ink, font(TEXT))
    return page


def _columns(cells: int, width: int, height: int) -> int:
    """As many as bring the page nearest to a sheet's shape, upright or on its side, with few places left empty."""

    def strangeness(columns: int) -> float:
        rows = math.ceil(cells / columns)
        shape = math.log(columns * width / (rows * height))
        return abs(abs(shape) - math.log(LONG / SHORT)) + 2 * (1 - cells / (rows * columns))

    return min(range(1, cells + 1), key=strangeness)
