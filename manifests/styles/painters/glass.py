"""A rose window of stained glass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from painters.canvas import HEIGHT, WIDTH, Array, grid, layered_noise, noise, relief, rgb, to_image, turned

LEAD = rgb("#14141c")[0]
# The rose: outer radius, number of panes and colours of every ring, from the middle outwards.
RINGS = (
    (62, 6, ("#ffd23a", "#ff9d12")),
    (150, 12, ("#c8102a", "#1646d6", "#e8481c", "#1646d6")),
    (205, 24, ("#0f9d8a", "#ffc21f")),
    (330, 16, ("#1230b4", "#b80f3c", "#2a1a9c", "#e0401a")),
    (392, 32, ("#ffb515", "#0d8a4a", "#f2e6a0", "#0d8a4a")),
)
# Outside the rose the colour goes by the ray a pane lies in.
RAYS = ("#1a2fc0", "#7a1aa8", "#0a8fc0", "#c41230", "#15208c", "#f09a10", "#0c8f6a", "#d83a1c")
CENTRE = (640, 512)


class Panes:
    """A window being cut into panes: a label for every pixel, and how far it is from a cut."""

    def __init__(self) -> None:
        self.label = np.zeros((HEIGHT, WIDTH), dtype=np.int64)
        self.edge = np.full((HEIGHT, WIDTH), 1e6, dtype=np.float32)

    def cut(self, label: NDArray[np.int64], edge: Array, where: NDArray[np.bool_]) -> None:
        """Cut the part `where` into the labelled pieces, `edge` pixels from their borders."""
        # Only sameness of labels matters, so the old and the new are renumbered as pairs.
        pairs = self.label * (int(label.max()) + 2) + np.where(where, label + 1, 0)
        renumbered = np.unique(pairs, return_inverse=True)[1]
        self.label = renumbered.reshape(self.label.shape).astype(np.int64)
        self.edge = np.where(where, np.minimum(self.edge, edge), self.edge)


def voronoi(seeds: Array, x: Array, y: Array) -> tuple[NDArray[np.int64], Array]:
    """Which seed every pixel is nearest to, and its distance from the border of that cell."""
    first = np.full(x.shape, 1e12, dtype=np.float32)
    second = first.copy()
    owner = np.zeros(x.shape, dtype=np.int64)
    rival = owner.copy()
    for index, (seed_x, seed_y) in enumerate(seeds):
        square = (x - seed_x) ** 2 + (y - seed_y) ** 2
        nearest = square < first
        runner_up = ~nearest & (square < second)
        second = np.where(nearest, first, np.where(runner_up, square, second))
        rival = np.where(nearest, owner, np.where(runner_up, index, rival))
        first = np.where(nearest, square, first)
        owner = np.where(nearest, index, owner)
    apart = np.linalg.norm(seeds[owner] - seeds[rival], axis=-1) + 1e-3
    return owner, (second - first) / (2 * apart)


def scattered_apart(rng: np.random.Generator, count: int, gap: float) -> Array:
    """Up to `count` random points, no two of them closer than `gap`."""
    kept: list[Array] = []
    for point in rng.uniform((-60, -60), (WIDTH + 60, HEIGHT + 60), (count, 2)):
        if all(np.hypot(*(point - other)) > gap for other in kept):
            kept.append(point)
    return np.array(kept, dtype=np.float32)


def rose_window(rng: np.random.Generator, x: Array, y: Array) -> tuple[Panes, Array]:
    """The panes of the window, and the plain colour of the glass at every pixel."""
    dx, dy = x - CENTRE[0], y - CENTRE[1]
    radius, angle = np.hypot(dx, dy), np.mod(np.arctan2(dy, dx) / (2 * np.pi), 1)
    panes = Panes()
    colour = np.zeros((*x.shape, 3), dtype=np.float32)
    inner = 0.0
    for outer, count, codes in RINGS:
        ring = (radius >= inner) & (radius < outer)
        turn = angle * count + 0.5 * (count % 3)
        sector = np.floor(turn).astype(np.int64) % count
        off_middle = np.abs(turn % 1 - 0.5)
        side = (0.5 - off_middle) * 2 * np.pi * radius / count
        panes.cut(sector, side, ring)
        rim = np.minimum(np.abs(radius - outer), np.abs(radius - inner) if inner else outer)
        panes.edge = np.where(ring, np.minimum(panes.edge, rim - 3), panes.edge)
        palette = rgb(*codes)
        colour[ring] = palette[sector[ring] % len(codes)]
        if outer - inner > 80:
            # Wide rings get a petal in every pane, in the colour of the pane next door.
            along = (radius - inner) / (outer - inner) * 2 - 1
            petal = np.abs(along + 0.1) ** 2.2 + (off_middle / 0.34) ** 2 - 0.8
            slope = np.hypot(*np.gradient(petal)) + 1e-4
            panes.cut((petal < 0).astype(np.int64), np.abs(petal) / slope, ring)
            inside = ring & (petal < 0)
            colour[inside] = palette[(sector[inside] + 1) % len(codes)]
        inner = outer

    outside = radius >= inner
    spin = angle * 16 + 0.3
    ray = np.floor(spin).astype(np.int64) % 16
    from_ray = np.minimum(spin % 1, 1 - spin % 1) * 2 * np.pi * radius / 16
    panes.cut(ray, from_ray, outside)
    panes.edge = np.where(outside, np.minimum(panes.edge, radius - inner - 5), panes.edge)
    colour[outside] = rgb(*RAYS)[ray[outside] % len(RAYS)]

    owner, border = voronoi(scattered_apart(rng, 900, 74), x, y)
    panes.cut(owner, border, outside)
    # A few panes in every ray are in the colour of the next ray but one, as if glass ran short.
    strays = outside & (rng.random(owner.max() + 1) < 0.22)[owner]
    colour[strays] = rgb(*RAYS)[(ray[strays] + 2) % len(RAYS)]
    return panes, colour


def glass_texture(rng: np.random.Generator, panes: Panes, x: Array, y: Array) -> Array:
    """How much brighter or darker than its plain colour the glass is: streaks and bubbles."""
    count = int(panes.label.max()) + 1
    lean = rng.uniform(0, np.pi, count).astype(np.float32)[panes.label]
    streaks = turned(noise(rng, 160, 13) + 0.7 * noise(rng, 90, 6), x, y, lean)
    shift = rng.normal(0, 0.16, count).astype(np.float32)[panes.label]
    across = np.sin((x * np.cos(lean) + y * np.sin(lean)) / 46 + 9 * shift)
    rim = np.exp(-panes.edge / 14)
    cloud = layered_noise(rng, 50, 3)
    return 0.1 + shift + 0.17 * across + 0.2 * streaks + 0.2 * cloud - 0.35 * rim


def bubbles(rng: np.random.Generator, count: int) -> Array:
    """Little air bubbles in glass: a light dot with a dark edge each."""
    layer = Image.new("L", (WIDTH, HEIGHT), 128)
    draw = ImageDraw.Draw(layer)
    for x, y in rng.uniform((0, 0), (WIDTH, HEIGHT), (count, 2)):
        r = rng.uniform(2.5, 8)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=60)
        draw.ellipse((x - r + 1, y - r + 1, x + r - 2, y + r - 2), fill=205)
    return np.asarray(layer, dtype=np.float32) / 128 - 1


def glass(rng: np.random.Generator) -> Image.Image:
    """A stained-glass rose window with rays, in jewel colours and thick dark lead."""
    x, y = grid()
    # Hand-cut glass is never quite straight.
    bent_x = x + 9 * noise(rng, 110) + 3 * noise(rng, 40)
    bent_y = y + 9 * noise(rng, 110) + 3 * noise(rng, 40)
    panes, colour = rose_window(rng, bent_x, bent_y)
    light = glass_texture(rng, panes, x, y) + 0.3 * bubbles(rng, 500)
    jewel = colour * (1 + 0.9 * np.minimum(light, 0))[..., None]
    jewel += (255 - jewel) * 0.85 * np.clip(light, 0, 1)[..., None]

    from_centre = np.hypot(x - CENTRE[0], y - CENTRE[1])
    # The small panes in the middle would drown in lead as heavy as at the border.
    half_width = 4.9 + 2 * noise(rng, 120) + 0.7 * noise(rng, 25)
    half_width *= np.clip(0.5 + from_centre / 480, 0, 1.15)
    came = np.clip(half_width + 1 - panes.edge, 0, 1)[..., None]
    # Lead is a rounded bar: it catches the light along one shoulder.
    bar = np.sqrt(np.clip(1 - (panes.edge / np.maximum(half_width, 1)) ** 2, 0, 1))
    shine = np.clip(relief(bar, 2.2), 0, 1) * (0.5 + 0.5 * noise(rng, 40))
    metal = LEAD + np.clip(shine, 0, 1)[..., None] * np.float32(105)
    return to_image(jewel * (1 - came) + metal * came)
