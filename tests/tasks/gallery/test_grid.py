"""Result grids: which pictures lie where on which page, and what takes the place of one that is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageColor
from PIL.PdfParser import PdfParser

from stylebatch.tasks.gallery import grid as module
from stylebatch.tasks.gallery.grid import ALARM, CAPTION, CELL, COLUMNS, GAP, ROWS, write_grids
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.runs.report import Outcome

Colour = tuple[int, ...]
RED = ImageColor.getrgb(ALARM)
DRAWN = 30  # height in pixels of all these pictures, 40 wide, unless a test says otherwise
HIGH = CELL * DRAWN // 40  # as which a cell shows it


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("sources", "run/images"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def colour_of(number: int) -> Colour:
    """A colour of its own for each number; none is white or that of a border."""
    return 10 + number % 100, 200 - number // 100, 90


def draw_source(folder: Path, name: str, number: int, size: tuple[int, int] = (40, DRAWN)) -> str:
    Image.new("RGB", size, colour_of(number)).save(folder / "sources" / f"{name}.png")
    return f"{name}.png"


def done(folder: Path, row: int, content: str, style: str, **change: Any) -> Outcome:
    """A completed row with a picture of its own; ``change`` is of name, loss, size, or settings."""
    name = change.pop("name", f"pair-{row}")
    loss = change.pop("loss", 1000.0)
    width, height = change.pop("size", (40, DRAWN))
    Image.new("RGB", (width, height), colour_of(1000 + row)).save(folder / "run" / "images" / f"{name}.png")
    record = Record(
        key=f"{row:064}",
        total_loss=loss,
        content_loss=0,
        style_loss=loss,
        tv_loss=0,
        style_loss_by_layer={"relu1_1": loss},
        optimizer_loss=loss,
        steps=1,
        seconds=1,
        device="cpu",
        width=width,
        height=height,
        attempts=1,
        output_sha256="o",
        content_sha256="c",
        style_sha256="s",
        masks_sha256=None,
        weights_sha256="w",
        settings=Settings(**change),
        finished_at=datetime(2025, 1, 1, tzinfo=UTC),
    )
    return Outcome(row, name, content, style, "completed", record)


def failed(row: int, content: str, style: str) -> Outcome:
    return Outcome(row, f"row-{row}", content, style, "failed", None, "BadInput", "gone")


def pages_of(folder: Path, outcomes: Sequence[Outcome]) -> list[np.ndarray]:
    files = write_grids(outcomes, folder / "sources", folder / "run")
    assert files == [folder / "run" / "grids" / f"grid-{number:03}.png" for number in range(1, len(files) + 1)]
    assert sorted((folder / "run" / "grids").glob("*.png")) == files
    assert (folder / "run" / "grids" / "grids.pdf").exists() == bool(files)
    return [np.asarray(Image.open(str(file))) for file in files]


@dataclass
class Sheet:
    """A page whose rows are known to have these heights, captions left out."""

    page: np.ndarray
    heights: list[int]

    def cell(self, across: int, down: int) -> np.ndarray:
        """The pixels of a cell, its caption left out."""
        left, top = GAP + across * (CELL + GAP), self._top(down)
        return self.page[top : top + self.heights[down], left : left + CELL]

    def caption(self, across: int, down: int) -> np.ndarray:
        """The pixels of a cell's caption, with the gaps on both sides."""
        left, top = across * (CELL + GAP), self._top(down) + self.heights[down]
        return self.page[top + 1 : top + CAPTION, left : left + CELL + 2 * GAP]

    def shown(self, across: int, down: int) -> Colour:
        """The colour at the foot of a cell, in its middle: there every picture is, however flat."""
        return tuple(self.cell(across, down)[-2, CELL // 2].tolist())

    def _top(self, down: int) -> int:
        return GAP + sum(height + CAPTION + GAP for height in self.heights[:down])


def sheet_of(page: np.ndarray, columns: int, heights: list[int]) -> Sheet:
    """The page, if it has the size that so many columns and rows of these heights need."""
    assert page.shape == (sum(height + CAPTION + GAP for height in heights) + GAP, columns * (CELL + GAP) + GAP, 3)
    return Sheet(page, heights)


def product(folder: Path, contents: int, styles: int) -> list[Outcome]:
    """Every content in every style; contents have the colours 100 and up, styles 500 and up, results 1000 and up."""
    across = [draw_source(folder, f"style-{number}", 500 + number) for number in range(styles)]
    down = [draw_source(folder, f"content-{number}", 100 + number) for number in range(contents)]
    pairs = [(content, style) for content in down for style in across]
    return [done(folder, row, content, style) for row, (content, style) in enumerate(pairs, start=1)]


# Where the pictures lie


def test_a_product_has_contents_down_and_styles_across(folder: Path) -> None:
    (page,) = pages_of(folder, product(folder, contents=2, styles=3))
    sheet = sheet_of(page, 4, [HIGH] * 3)
    assert (sheet.cell(0, 0) == 255).all()
    assert [sheet.shown(across, 0) for across in (1, 2, 3)] == [colour_of(500 + number) for number in range(3)]
    assert [sheet.shown(0, down) for down in (1, 2)] == [colour_of(100 + number) for number in range(2)]
    for row in range(6):
        assert sheet.shown(1 + row % 3, 1 + row // 3) == colour_of(1001 + row)


def test_the_order_of_the_outcomes_does_not_matter(folder: Path) -> None:
    outcomes = product(folder, contents=2, styles=2)
    (page,) = pages_of(folder, outcomes)
    (reversed_page,) = pages_of(folder, outcomes[::-1])
    assert np.array_equal(page, reversed_page)


@pytest.mark.parametrize(
    "pairs",
    [
        [(0, 0)],
        [(0, 0), (1, 1)],
        [(0, 0), (0, 1), (1, 0)],
        [(0, 0), (0, 0)],
        [(0, 0), (0, 1), (1, 0), (1, 1), (1, 1)],
    ],
)
def test_what_is_no_product_is_shown_as_strips(pairs: list[tuple[int, int]], folder: Path) -> None:
    for number in range(2):
        draw_source(folder, f"content-{number}", 100 + number)
        draw_source(folder, f"style-{number}", 500 + number)
    (page,) = pages_of(
        folder,
        [
            done(folder, row, f"content-{content}.png", f"style-{style}.png")
            for row, (content, style) in enumerate(pairs, start=1)
        ],
    )
    sheet = sheet_of(page, 3, [HIGH] * len(pairs))
    for down, (content, style) in enumerate(pairs):
        expected = [colour_of(100 + content), colour_of(500 + style), colour_of(1001 + down)]
        assert [sheet.shown(across, down) for across in range(3)] == expected


def test_one_content_in_two_styles_is_a_product(folder: Path) -> None:
    (page,) = pages_of(folder, product(folder, contents=1, styles=2))
    sheet_of(page, 3, [HIGH] * 2)


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((40, 20), (CELL, CELL // 2)),
        ((32, 64), (CELL // 2, CELL)),
        ((1024, 512), (CELL, CELL // 2)),
        ((128, 512), (CELL // 4, CELL)),
    ],
)
def test_a_picture_stands_on_its_caption_in_full(size: tuple[int, int], fitted: tuple[int, int], folder: Path) -> None:
    content, style = draw_source(folder, "content", 100), draw_source(folder, "style", 500)
    (page,) = pages_of(folder, [done(folder, 1, content, style, size=size)])
    width, height = fitted
    row_height = max(height, HIGH)
    is_picture = (sheet_of(page, 3, [row_height]).cell(2, 0) == colour_of(1001)).all(axis=2)
    left = (CELL - width) // 2
    expected = np.zeros((row_height, CELL), bool)
    expected[row_height - height :, left : left + width] = True
    assert np.array_equal(is_picture, expected)


# Pages


def test_strips_go_on_on_the_next_page(folder: Path) -> None:
    content, style = draw_source(folder, "content", 100), draw_source(folder, "style", 500)
    pages = pages_of(folder, [done(folder, row, content, style) for row in range(1, ROWS + 2)])
    first, second = (sheet_of(page, 3, [HIGH] * rows) for page, rows in zip(pages, (ROWS, 1), strict=True))
    assert first.shown(2, ROWS - 1) == colour_of(1000 + ROWS)
    assert [second.shown(across, 0) for across in range(3)] == [
        colour_of(100),
        colour_of(500),
        colour_of(1001 + ROWS),
    ]


def test_a_wide_product_goes_on_on_the_next_page_with_its_margins(folder: Path) -> None:
    first_page, second_page = pages_of(folder, product(folder, contents=2, styles=COLUMNS + 1))
    half = (COLUMNS + 2) // 2
    first = sheet_of(first_page, 1 + half, [HIGH] * 3)
    second = sheet_of(second_page, 1 + COLUMNS + 1 - half, [HIGH] * 3)
    assert first.shown(half, 2) == colour_of(1001 + COLUMNS + half)
    assert second.shown(1, 0) == colour_of(500 + half)
    assert [second.shown(0, down) for down in (1, 2)] == [colour_of(100), colour_of(101)]
    assert [second.shown(1, down) for down in (1, 2)] == [colour_of(1001 + half), colour_of(1002 + COLUMNS + half)]


def test_a_long_product_goes_on_on_the_next_page_with_its_margins(folder: Path) -> None:
    first_page, second_page = pages_of(folder, product(folder, contents=ROWS + 1, styles=1))
    half = (ROWS + 2) // 2
    first, second = sheet_of(first_page, 2, [HIGH] * (1 + half)), sheet_of(second_page, 2, [HIGH] * (2 + ROWS - half))
    assert first.shown(1, half) == colour_of(1000 + half)
    assert second.shown(1, 0) == colour_of(500)
    assert (second.shown(0, 1), second.shown(1, 1)) == (colour_of(100 + half), colour_of(1001 + half))


def test_pages_are_as_few_and_as_even_as_can_be() -> None:
    parts = {number: [len(part) for part in module._even(range(number), ROWS)] for number in (10, 12, 40)}
    assert parts == {10: [10], 12: [6, 6], 40: [10, 10, 10, 10]}


def test_the_book_has_all_pages_and_goes_with_them(folder: Path) -> None:
    outcomes = product(folder, contents=ROWS + 1, styles=1)
    pages_of(folder, outcomes)
    with PdfParser(str(folder / "run" / "grids" / "grids.pdf")) as book:
        assert len(book.pages) == 2
    pages_of(folder, outcomes[:2])
    with PdfParser(str(folder / "run" / "grids" / "grids.pdf")) as book:
        assert len(book.pages) == 1


def test_each_settings_have_a_page_of_their_own(folder: Path) -> None:
    content = draw_source(folder, "content", 100)
    styles = [draw_source(folder, f"style-{number}", 500 + number) for number in range(2)]
    outcomes = [
        done(folder, 1 + 2 * index + number, content, style, steps=steps)
        for index, steps in enumerate((100, 200))
        for number, style in enumerate(styles)
    ]
    sheets = [sheet_of(page, 3, [HIGH] * 2) for page in pages_of(folder, outcomes)]
    assert [[sheet.shown(across, 1) for across in (1, 2)] for sheet in sheets] == [
        [colour_of(1001), colour_of(1002)],
        [colour_of(1003), colour_of(1004)],
    ]


def test_pages_of_an_earlier_run_are_removed(folder: Path) -> None:
    outcomes = product(folder, contents=ROWS + 1, styles=1)
    assert len(pages_of(folder, outcomes)) == 2
    assert len(pages_of(folder, outcomes[:2])) == 1
    assert pages_of(folder, []) == []
    assert pages_of(folder, [failed(1, "content-0.png", "style-0.png")]) == []


def test_a_page_is_drawn_again_only_where_it_shows_something_else(folder: Path) -> None:
    outcomes = product(folder, contents=ROWS + 1, styles=1)
    files = write_grids(outcomes, folder / "sources", folder / "run")

    def drawn_again(outcomes: Sequence[Outcome]) -> list[bool]:
        before = [file.stat().st_ino for file in files]
        assert write_grids(outcomes, folder / "sources", folder / "run") == files
        return [file.stat().st_ino != inode for file, inode in zip(files, before, strict=True)]

    assert drawn_again(outcomes) == [False, False]
    draw_source(folder, "content-0", 150)  # a source, a result, a caption
    assert drawn_again(outcomes) == [True, False]
    last = done(folder, ROWS + 1, outcomes[-1].content, outcomes[-1].style, size=(30, DRAWN))
    assert drawn_again([*outcomes[:-1], last]) == [False, True]
    louder = done(folder, 1, outcomes[0].content, outcomes[0].style, loss=5.0)
    assert drawn_again([louder, *outcomes[1:-1], last]) == [True, False]
    files[1].write_bytes(b"no page")
    assert drawn_again([louder, *outcomes[1:-1], last]) == [False, True]


def test_pages_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGES", 2)
    assert len(pages_of(folder, product(folder, contents=3 * ROWS, styles=1))) == 2


def test_only_pages_are_removed(folder: Path) -> None:
    other = folder / "run" / "grids" / "my favourites.png"
    other.parent.mkdir()
    other.touch()
    write_grids([], folder / "sources", folder / "run")
    assert other.exists()


# What is missing


def is_placeholder(pixels: np.ndarray) -> bool:
    """Whether a cell is an empty frame with a text in its middle."""
    frame = (pixels[0] == RED).all() and (pixels[:, 0] == RED).all()
    text = (pixels[CELL // 2 - 8 : CELL // 2 + 8, 20:-20] != 255).any()
    rest = (pixels[20 : CELL // 2 - 20, 20:-20] == 255).all()
    return bool(frame and text and rest)


def test_a_failed_row_leaves_a_frame_in_the_product(folder: Path) -> None:
    outcomes = product(folder, contents=2, styles=2)
    outcomes[2] = failed(3, outcomes[2].content, outcomes[2].style)
    (page,) = pages_of(folder, outcomes)
    sheet = sheet_of(page, 3, [HIGH, HIGH, CELL])
    assert is_placeholder(sheet.cell(1, 2))
    results = [sheet.shown(1, 1), sheet.shown(2, 1), sheet.shown(2, 2)]
    assert results == [colour_of(1001), colour_of(1002), colour_of(1004)]
    assert [sheet.shown(across, 0) for across in (1, 2)] == [colour_of(500), colour_of(501)]


def test_a_failed_row_is_shown_once(folder: Path) -> None:
    content, style = draw_source(folder, "content", 100), draw_source(folder, "style", 500)
    outcomes = [done(folder, row, content, style, steps=100 * row) for row in (1, 2)]
    first, second = pages_of(folder, [*outcomes, failed(3, content, style)])
    assert is_placeholder(sheet_of(first, 3, [HIGH, CELL]).cell(2, 1))
    assert sheet_of(second, 3, [HIGH]).shown(2, 0) == colour_of(1002)


@pytest.mark.parametrize("damage", ["missing", "text"])
def test_an_original_that_cannot_be_read_leaves_a_frame(damage: str, folder: Path) -> None:
    outcomes = product(folder, contents=2, styles=2)
    original = folder / "sources" / "content-1.png"
    original.unlink()
    if damage == "text":
        original.write_text("to be painted")
    (page,) = pages_of(folder, outcomes)
    sheet = sheet_of(page, 3, [HIGH, HIGH, CELL])
    assert is_placeholder(sheet.cell(0, 2))
    assert sheet.shown(0, 1) == colour_of(100)
    assert [sheet.shown(across, 2) for across in (1, 2)] == [colour_of(1003), colour_of(1004)]


def test_a_result_that_was_deleted_leaves_a_frame(folder: Path) -> None:
    outcomes = product(folder, contents=1, styles=2)
    (folder / "run" / "images" / "pair-2.png").unlink()
    (page,) = pages_of(folder, outcomes)
    sheet = sheet_of(page, 3, [HIGH, CELL])
    assert sheet.shown(1, 1) == colour_of(1001)
    assert sheet.cell(2, 1)[0, 0].tolist() == list(RED)


def test_a_row_without_names_is_shown(folder: Path) -> None:
    outcomes = product(folder, contents=1, styles=1)
    (page,) = pages_of(folder, [*outcomes, failed(2, "", "two\nlines.png")])
    sheet = sheet_of(page, 3, [HIGH, CELL])
    assert is_placeholder(sheet.cell(0, 1))
    assert is_placeholder(sheet.cell(2, 1))


def test_a_blend_is_shown_as_strips_as_wide_as_the_weights(folder: Path) -> None:
    content, first, second = (draw_source(folder, name, 100 * n) for n, name in enumerate("abc", start=1))
    outcomes = [done(folder, row, content, style) for row, style in ((1, f"{first}:3 | {second}:1"), (2, first))]
    (page,) = pages_of(folder, outcomes)
    sheet = sheet_of(page, 3, [CELL, HIGH])
    blend = sheet.cell(1, 0)
    assert (blend[:, : CELL * 3 // 4] == colour_of(200)).all()
    assert (blend[:, CELL * 3 // 4 :] == colour_of(300)).all()
    assert sheet.shown(2, 0) == colour_of(200)


def test_a_blend_with_a_style_that_is_gone_leaves_a_frame(folder: Path) -> None:
    content, first = draw_source(folder, "a", 100), draw_source(folder, "b", 200)
    (page,) = pages_of(folder, [done(folder, 1, content, f"{first} | gone.png")])
    assert is_placeholder(sheet_of(page, 3, [CELL]).cell(1, 0))


# Captions


def caption_of(folder: Path, name: str, loss: float = 1000.0) -> np.ndarray:
    content, style = draw_source(folder, "content", 100), draw_source(folder, "style", 500)
    (page,) = pages_of(folder, [done(folder, 1, content, style, name=name, loss=loss)])
    return sheet_of(page, 3, [HIGH]).caption(2, 0)


def test_captions_show_the_id_and_the_loss(folder: Path) -> None:
    plain = caption_of(folder, "one")
    half = CAPTION // 2
    other_id, other_loss = caption_of(folder, "two"), caption_of(folder, "one", 2000)
    assert not np.array_equal(plain[:half], other_id[:half])
    assert np.array_equal(plain[half + 4 :], other_id[half + 4 :])
    assert not np.array_equal(plain[half:], other_loss[half:])
    assert np.array_equal(plain[: half - 4], other_loss[: half - 4])


def test_a_long_name_stays_within_its_cell(folder: Path) -> None:
    long = caption_of(folder, "W" * 100)
    assert (long != 255).any()
    assert (long[:, :GAP] == 255).all()
    assert (long[:, -GAP:] == 255).all()


def test_a_long_name_keeps_its_start_and_its_end(folder: Path) -> None:
    middle = "-" + "m" * 90 + "-"
    drawn = caption_of(folder, f"a{middle}a")
    assert not np.array_equal(drawn, caption_of(folder, f"b{middle}a"))
    assert not np.array_equal(drawn, caption_of(folder, f"a{middle}b"))
