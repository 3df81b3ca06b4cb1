"""Regions at random: the cells of a Voronoi diagram, as masks that are named and not kept.

A mask ``voronoi:2/6:ab`` is the second cell of the diagram of six whose seed is ``ab``: always the same, in any size.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

MOST = 64  # cells of a diagram
# Each site is the one of so many random points that is farthest from those before, so that no cell is a mere splinter
# (Mitchell, Spectrally optimal sampling for distribution ray tracing, 1991).
CANDIDATES = 10
_NAME = re.compile(r"voronoi:(?:(?P<number>\d{1,2})/)?(?P<cells>\d{1,2}):(?P<seed>[0-9a-z]{1,32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cell:
    """One of the ``cells`` of a diagram; ``number`` counts from 1."""

    number: int
    cells: int
    seed: str

    @property
    def name(self) -> str:
        """What a row calls it among its masks."""
        return f"voronoi:{self.number}/{self.cells}:{self.seed}"


def diagram(cells: int, seed: str) -> str:
    """The name that stands for all cells of a diagram, in their order."""
    return f"voronoi:{cells}:{seed}"


def cells_of(name: str) -> list[Cell]:
    """The cells that a name stands for: one, or all of a diagram; none where it is a file's."""
    found = _NAME.fullmatch(name)
    if not found or not 1 <= int(found["cells"]) <= MOST:
        return []
    cells, seed = int(found["cells"]), found["seed"]
    numbers = [int(found["number"])] if found["number"] else range(1, cells + 1)
    return [Cell(number, cells, seed) for number in numbers if 1 <= number <= cells]


def cell_mask(cell: Cell, width: int, height: int) -> Image.Image:
    """The cell as a mask of mode L and this size in pixels: white within it."""
    within = _owners(cell.cells, cell.seed, width, height) == cell.number - 1
    return Image.fromarray(within.astype("u1") * 255)


@lru_cache(maxsize=16)
def _owners(cells: int, seed: str, width: int, height: int) -> np.ndarray:
    """The number of the nearest site, from 0, at each pixel's middle: (height, width)."""
    x, y = (np.arange(width) + 0.5)[None, :], (np.arange(height) + 0.5)[:, None]
    nearest, owners = np.full((height, width), np.inf), np.zeros((height, width), np.uint8)
    for number, (across, down) in enumerate(_sites(cells, seed)):
        distance = (x - across * width) ** 2 + (y - down * height) ** 2
        owners[distance < nearest] = number
        nearest = np.minimum(nearest, distance)
    return owners


def _sites(cells: int, seed: str) -> np.ndarray:
    """Points in the unit square, (cells, 2), which the picture is stretched to."""
    drawn = hashlib.shake_128(seed.encode()).digest(cells * CANDIDATES * 2 * 8)
    points = (np.frombuffer(drawn, "<u8") / 2.0**64).reshape(cells, CANDIDATES, 2)
    sites = [points[0, 0]]
    for candidates in points[1:]:
        distances = np.linalg.norm(candidates[:, None] - np.stack(sites)[None], axis=-1).min(1)
        sites.append(candidates[distances.argmax()])
    return np.stack(sites)
