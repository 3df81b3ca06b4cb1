"""Random regions: each place belongs to one cell, of a size one can see, and the same in every size."""

from __future__ import annotations

import numpy as np
import pytest

from stylebatch.tasks.pictures.voronoi import MOST, Cell, cell_mask, cells_of, diagram

EXPECTED = ["1111111111111111", "3333333333331000", "2233333333300000", "2222233333000000"]


def masks(cells: int, seed: str, width: int, height: int) -> np.ndarray:
    return np.stack([np.asarray(cell_mask(cell, width, height)) for cell in cells_of(diagram(cells, seed))])


@pytest.mark.parametrize(("cells", "width", "height"), [(1, 16, 16), (2, 40, 30), (6, 96, 64), (MOST, 64, 64)])
def test_every_place_belongs_to_one_cell(cells: int, width: int, height: int) -> None:
    found = masks(cells, "ab", width, height)
    assert found.shape == (cells, height, width)
    assert np.array_equal(found.sum(0, dtype=int), np.full((height, width), 255))
    assert (found.max((1, 2)) == 255).all(), "no cell is empty"


def test_no_cell_is_a_splinter() -> None:
    shares = [(masks(6, f"{seed}", 48, 48) > 0).mean((1, 2)) for seed in range(100)]
    assert np.min(shares) > 0.02


def test_a_diagram_is_the_same_in_every_size() -> None:
    small, large = masks(6, "cd", 60, 40), masks(6, "cd", 300, 200)
    assert (small == large[:, 2::5, 2::5]).all(), "the middles of the small one's pixels are those of the large one's"
    assert not np.array_equal(small, masks(6, "ce", 60, 40))


def test_a_diagram_is_the_same_today_and_tomorrow() -> None:
    """That of the first version: another outcome would be other pictures under the same keys."""
    owners = masks(4, "ab", 16, 12).argmax(0)
    assert ["".join(map(str, row)) for row in owners[::3]] == EXPECTED


def test_names_stand_for_cells() -> None:
    assert cells_of("voronoi:2/6:ab") == [Cell(2, 6, "ab")]
    assert [cell.name for cell in cells_of("voronoi:2:ab")] == ["voronoi:1/2:ab", "voronoi:2/2:ab"]
    for name in (
        "sky.png",
        "voronoi:7/6:ab",
        "voronoi:0/6:ab",
        "voronoi:65:ab",
        "voronoi:6:",
        "voronoi:6:A",
        "voronoi",
    ):
        assert cells_of(name) == []
