"""Contact sheets: where on the page the photograph, the results and their styles are, and which pages there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylebatch.tasks.gallery.contact_sheet import GAP, HEADING, TEXT, write_sheets
from stylebatch.tasks.runs.report import Outcome
from tests.tasks.runs.test_report import make_record

GREY, RED, GREEN, BLUE = (90, 90, 90), (200, 20, 20), (20, 160, 20), (20, 20, 200)
SIDE, BESIDE = 360, 120


def paint(path: Path, colour: tuple[int, ...]) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((40, 40, 3), colour, np.uint8)).save(path)


@pytest.fixture
def outcomes(tmp_path: Path) -> list[Outcome]:
    """Three styles of one photograph, of which the last one failed, in another order than their rows'."""
    paint(tmp_path / "cat.png", GREY)
    for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE)):
        paint(tmp_path / f"{name}.png", colour)
        paint(tmp_path / "images" / f"{name}.png", tuple(255 - one for one in colour))
    made = [
        Outcome(row, name, "cat.png", f"{name}.png", "completed", make_record())
        for row, name in ((2, "green"), (1, "red"))
    ]
    return [*made, Outcome(3, "blue", "cat.png", "blue.png", "failed", None, "BadInput", "no good")]


def test_each_result_stands_beside_its_style(outcomes: list[Outcome], tmp_path: Path) -> None:
    files = write_sheets(outcomes, tmp_path, tmp_path)
    assert [file.name for file in files] == ["sheet-001.png", "sheets.pdf"]
    page = np.asarray(Image.open(str(files[0])))
    wide, high = SIDE + BESIDE + 6 + GAP, SIDE + TEXT + 12 + GAP
    assert page.shape == (2 * GAP + HEADING + 2 * high, 2 * wide + GAP, 3)

    def colours(place: int) -> list[tuple[int, ...]]:
        """Of the result, and of what is beside it, at their feet."""
        down, across = divmod(place, 2)
        foot, left = 2 * GAP + HEADING + down * high + SIDE - 5, GAP + across * wide
        return [tuple(page[foot, left + 9].tolist()), tuple(page[foot, left + SIDE + 16].tolist())]

    assert colours(0) == [GREY, (255, 255, 255)]
    assert colours(1) == [(55, 235, 235), RED]
    assert colours(2) == [(235, 95, 235), GREEN]
    assert colours(3) == [(255, 255, 255), BLUE]


def test_pages_of_an_earlier_run_go(outcomes: list[Outcome], tmp_path: Path) -> None:
    paint(tmp_path / "grids/sheet-007.png", RED)
    paint(tmp_path / "grids/grid-001.png", RED)
    write_sheets(outcomes[:1], tmp_path, tmp_path)
    assert sorted(file.name for file in (tmp_path / "grids").iterdir()) == [
        "grid-001.png",
        "sheet-001.png",
        "sheets.pdf",
    ]


@pytest.mark.parametrize("styles", [1, 30, 100])
def test_a_page_has_nearly_the_shape_of_paper(styles: int, outcomes: list[Outcome], tmp_path: Path) -> None:
    many = [Outcome(row, "red", "cat.png", "red.png", "completed", make_record()) for row in range(styles)]
    width, height = Image.open(str(write_sheets(many, tmp_path, tmp_path)[0])).size
    assert 1.1 < max(width, height) / min(width, height) < 2.2
