"""Paint the sample style pictures from nothing but arithmetic and a random seed.

The pictures give the sample manifests something to borrow a style from without borrowing
anybody's artwork.  Each is full of strokes, edges and colour contrast at several scales, because
that is what style transfer picks up.  Painting again gives the same pictures.

Run it to (re)paint all of them, or only the ones named, next to this file:

    python manifests/styles/paint.py [NAME ...]

The names are swirls, glass, waves and papercut.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

Array = NDArray[np.float32]
Mask = Image.Image
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

# Everything is painted at twice the final size and then reduced: ImageDraw has no antialiasing.
SIZE = (640, 512)
WIDTH, HEIGHT = 2 * SIZE[0], 2 * SIZE[1]
JPEG_QUALITY = 90


# --- shared helpers --------------------------------------------------------------------------


def rgb(*codes: str) -> Array:
    """The colours with these hexadecimal codes, one a row, 0 to 255."""
    return np.array([ImageColor.getrgb(code) for code in codes], dtype=np.float32)


def as_colour(values: Array) -> Colour:
    """A colour Pillow will draw with."""
    red, green, blue = np.clip(values, 0, 255).astype(int).tolist()
    return red, green, blue


def as_points(points: Array) -> list[tuple[float, float]]:
    """A polyline Pillow will draw."""
    return [(x, y) for x, y in points.tolist()]


def ramp(colours: Array, position: Array) -> Array:
    """Colours read off a gradient, at positions from 0 (first colour) to 1 (last)."""
    stops = np.linspace(0, 1, len(colours))
    channels = [np.interp(position, stops, colours[:, i]) for i in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def grid() -> tuple[Array, Array]:
    """The x and y of every pixel."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return x, y


def noise(rng: np.random.Generator, cell_x: float, cell_y: float | None = None) -> Array:
    """Smooth noise, about -1 to 1, with blobs of the given size; its edges join up."""
    columns = max(2, round(WIDTH / cell_x))
    rows = max(2, round(HEIGHT / (cell_y or cell_x)))
    # A wrapped border lets rotated lookups run past the edge without a visible seam.
    knots = np.pad(rng.uniform(-1.3, 1.3, (rows, columns)), 3, mode="wrap").astype(np.float32)
    box = (3, 3, 3 + columns, 3 + rows)
    smooth = Image.fromarray(knots).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box)
    return np.asarray(smooth, dtype=np.float32)


def layered_noise(rng: np.random.Generator, cell: float, octaves: int) -> Array:
    """Noise with finer and fainter noise on top."""
    layers = [noise(rng, cell / 2**i) / 2**i for i in range(octaves)]
    return np.sum(layers, axis=0) / np.float32(2 - 2 / 2**octaves)


def turned(texture: Array, x: Array, y: Array, angle: float | Array) -> Array:
    """A texture looked up at the given pixels as if it had been turned by an angle."""
    across = x * np.cos(angle) + y * np.sin(angle)
    down = y * np.cos(angle) - x * np.sin(angle)
    rows, columns = texture.shape
    return texture[down.astype(int) % rows, across.astype(int) % columns]


def smooth_curve(controls: Sequence[tuple[float, float]] | Array, per_span: int = 12) -> Array:
    """A smooth line through control points (a Catmull-Rom spline)."""
    p = np.asarray(controls, dtype=np.float32)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, 1, per_span, endpoint=False, dtype=np.float32)[:, None]
    spans = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.concatenate([*spans, p[-2:-1]])


def normals(path: Array) -> Array:
    """Unit vectors at right angles to a path, or to each of a stack of paths."""
    along = np.gradient(path, axis=-2)
    along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-6
    return np.stack([-along[..., 1], along[..., 0]], axis=-1)


def relief(height: Array, strength: float) -> Array:
    """How much a bumpy surface is brightened or darkened by light from the upper left."""
    down, across = np.gradient(height)
    return np.clip(-(across + down) * strength, -1, 1)


def moved(mask: Mask, right: int, down: int) -> Mask:
    """A mask shifted without wrapping round, which ImageChops.offset would do."""
    shifted = Image.new("L", mask.size, 0)
    shifted.paste(mask, (right, down))
    return shifted


def to_image(pixels: Array) -> Image.Image:
    """An array of 0 to 255 as a picture."""
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


# --- swirls ----------------------------------------------------------------------------------

# Where each whirl is, its radius, and which way and how strongly it turns.
WHIRLS = (
    (880, 290, 330, 1.6),
    (330, 330, 250, -1.5),
    (600, 90, 130, 1.2),
    (1190, 90, 130, -1.2),
    (90, 80, 120, 1.2),
    (620, 560, 120, 1.3),
    (1180, 590, 130, -1.2),
)
SKY = rgb(
    "#0b1250", "#16248c", "#1c3fb8", "#2a6fd0", "#58b4d8", "#cfe6b0", "#ffe25a", "#ffb910",
    "#f5820f", "#d8430f",
)  # fmt: skip
FIELD = rgb(
    "#1a1458", "#1f3f9a", "#1f7a6a", "#7a8f1c", "#d99a12", "#ffc61a", "#f58a12", "#d9480f",
)  # fmt: skip
TREE = rgb("#071433", "#0c3340", "#12563c", "#2f7f32", "#8fae2a", "#f0a818")
# Strokes laid down in turn: spacing, width, length, and how much of the canvas they cover, each
# finer than the last.  Covering less with the fine ones leaves broad strokes to be seen.
STROKE_LAYERS = ((34, 64, 250, 1.0), (30, 44, 210, 1.0), (24, 29, 150, 0.55), (20, 18, 95, 0.33))


def swirl_scene(rng: np.random.Generator) -> tuple[Array, Array]:
    """The direction strokes follow, and the colour they should have, at every pixel."""
    x, y = grid()
    horizon = 730 + 50 * np.sin(x / 190 + 0.6) + 22 * np.sin(x / 71)
    flow_x = np.ones_like(x)
    flow_y = 0.55 * np.cos(x / 170 + y / 260)
    tone = 0.17 + 0.14 * np.sin(y / 34 + 2.2 * np.sin(x / 210)) + 0.12 * noise(rng, 130)
    for centre_x, centre_y, radius, turn in WHIRLS:
        dx, dy = x - centre_x, y - centre_y
        distance = np.hypot(dx, dy) / radius
        pull = 5 * np.exp(-((distance / 0.8) ** 2)) * turn
        flow_x -= pull * dy / (distance * radius + 8)
        flow_y += pull * dx / (distance * radius + 8)
        # Spiral arms, rather than rings, make the paint look as if it is turning.
        arms = np.sin(9 * distance - np.sign(turn) * 2 * np.arctan2(dy, dx))
        glow = np.clip(1.05 - 1.1 * distance, 0, 1) + 0.2 * arms * np.exp(-distance * 1.4)
        near = np.clip(1.6 - 1.5 * distance, 0, 1)
        tone = tone * (1 - near) + np.maximum(glow, 0.1) * near
    colour = ramp(SKY, tone)

    depth = (y - horizon) / (HEIGHT - horizon)
    land = depth > 0
    furrow = 0.42 * np.cos(x / 150 + depth * 2.5)
    flow_x = np.where(land, 1, flow_x)
    flow_y = np.where(land, furrow + 0.3 * np.sin(x / 60 + 6 * depth), flow_y)
    rows = 0.55 + 0.34 * np.sin(15 * np.abs(depth) ** 0.75 + x / 140) + 0.2 * noise(rng, 90)
    colour = np.where(land[..., None], ramp(FIELD, rows), colour)

    sway = 120 + 26 * np.sin(y / 75)
    taper = np.clip((y - 260) / 760, 0, 1) ** 0.7 * 125
    trunk = np.abs(x - sway) < taper
    flow_x = np.where(trunk, 0.5 * np.cos(y / 60 + x / 50), flow_x)
    flow_y = np.where(trunk, -1, flow_y)
    flames = 0.35 + 0.3 * np.sin((x - sway) / 17 + y / 80) + 0.2 * noise(rng, 60)
    colour = np.where(trunk[..., None], ramp(TREE, flames), colour)
    return np.stack([flow_x, flow_y], axis=-1), colour


def trace(starts: Array, flow: Array, length: float, steps: int) -> Array:
    """Paths of the given length that follow a flow, one for each starting point."""
    paths = [starts]
    for _ in range(steps - 1):
        here = paths[-1]
        column = np.clip(here[:, 0], 0, WIDTH - 1).astype(int)
        row = np.clip(here[:, 1], 0, HEIGHT - 1).astype(int)
        way = flow[row, column]
        paths.append(here + way / np.linalg.norm(way, axis=1, keepdims=True) * length / steps)
    return np.stack(paths, axis=1)


def scattered(rng: np.random.Generator, spacing: float) -> Array:
    """Points spread evenly but irregularly over the canvas, in random order."""
    y, x = np.mgrid[0 : HEIGHT + spacing : spacing, 0 : WIDTH + spacing : spacing]
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return rng.permutation(points + rng.uniform(-spacing, spacing, points.shape)).astype(np.float32)


def brush(
    paint: ImageDraw.ImageDraw,
    thickness: ImageDraw.ImageDraw,
    path: Array,
    width: float,
    colour: Array,
    rng: np.random.Generator,
) -> None:
    """One loaded stroke: a bundle of bristles, each with its own colour and load of paint."""
    count = max(4, round(width / 4))
    offsets = np.linspace(-1, 1, count)
    side = normals(path) * width / 2
    tint = rng.normal(0, 10, count)
    # Paint is fat in the middle of a stroke and thin at its edges, so that each stroke stands
    # out as one body.
    load = 165 - 95 * np.abs(offsets) ** 3 + rng.normal(0, 26, count)
    trims = 0.19 * np.abs(offsets) ** 2.5 + rng.uniform(0, 0.07, count)
    line_width = round(width / count) + 2
    for offset, shade, amount, trim in zip(offsets, tint, load, trims, strict=True):
        cut = round(trim * len(path))
        bristle = as_points((path + side * offset)[cut : len(path) - cut])
        paint.line(bristle, fill=as_colour(colour + shade), width=line_width)
        thickness.line(bristle, fill=int(np.clip(amount, 0, 255)), width=line_width)


def swirls(rng: np.random.Generator) -> Image.Image:
    """Thick curling brush strokes: a night sky turning over a field of wheat."""
    flow, guide = swirl_scene(rng)
    picture = to_image(guide)
    surface = Image.new("L", (WIDTH, HEIGHT), 90)
    paint, thickness = ImageDraw.Draw(picture), ImageDraw.Draw(surface)
    busy = noise(rng, 150)
    for spacing, width, length, share in STROKE_LAYERS:
        starts = scattered(rng, spacing)
        column = np.clip(starts[:, 0], 0, WIDTH - 1).astype(int)
        row = np.clip(starts[:, 1], 0, HEIGHT - 1).astype(int)
        starts = starts[(busy[row, column] + 1) / 2 < share]
        lengths = length * rng.uniform(0.6, 1.1, (len(starts), 1))
        paths = trace(starts, flow, lengths, steps=30)
        middle = paths[:, 15]
        column = np.clip(middle[:, 0], 0, WIDTH - 1).astype(int)
        row = np.clip(middle[:, 1], 0, HEIGHT - 1).astype(int)
        colours = guide[row, column] + rng.normal(0, 24, (len(starts), 1))
        colours += rng.normal(0, 14, colours.shape)
        for path, colour in zip(paths, colours, strict=True):
            brush(paint, thickness, path, width * rng.uniform(0.75, 1.2), colour, rng)
    height = np.asarray(surface.filter(ImageFilter.GaussianBlur(1.6)), dtype=np.float32)
    light = relief(height, 0.035)[..., None]
    pixels = np.asarray(picture, dtype=np.float32)
    return to_image(pixels * (1 + 0.42 * light) + 46 * np.clip(light, 0, 1))


# --- glass -----------------------------------------------------------------------------------

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


# --- waves -----------------------------------------------------------------------------------

INK = rgb("#0c1c3c")[0]
PAPER, FOAM, VERMILION = "#efe2c0", "#f6edd6", "#d8402a"
BLUES = ("#14346e", "#1f5596", "#14346e", "#6fa3c4", "#1b4684", "#b9d3d6")
# A breaking wave one unit high, from its foot to its tip: the back, and the hollow face.
BACK = ((-1.5, 0.3), (-0.95, 0.02), (-0.5, -0.3), (-0.15, -0.7), (0.2, -0.97), (0.55, -0.98),
        (0.82, -0.78), (0.9, -0.48))  # fmt: skip
FACE = ((1.7, 0.3), (1.1, 0.1), (0.62, -0.08), (0.34, -0.3), (0.28, -0.55), (0.44, -0.72),
        (0.7, -0.7), (0.9, -0.48))  # fmt: skip
# Ranks of waves from far to near: where their feet are, how high they are, how far apart.
RANKS = ((430, 110, 170), (520, 160, 290), (620, 230, 400), (930, 300, 520), (1060, 260, 390))
# The great wave stands between the third rank and the fourth: its foot, and its height.
GREAT_WAVE, GREAT_RANK = ((330, 860), 620), 3


class Print:
    """A woodblock print in the making: flat blocks of colour, and a key block of lines."""

    def __init__(self) -> None:
        self.colours = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
        self.key = Image.new("L", (WIDTH, HEIGHT), 0)
        self.fill = ImageDraw.Draw(self.colours)
        self.carve = ImageDraw.Draw(self.key)

    def area(self, outline: Array, colour: str, line: int = 0) -> None:
        """A flat area, outlined if `line` is not 0; it hides the lines of what is behind."""
        points = as_points(outline)
        self.fill.polygon(points, fill=colour)
        self.carve.polygon(points, fill=0)
        if line:
            self.line(np.concatenate([outline, outline[:1]]), line)

    def line(self, path: Array, width: int) -> None:
        """A carved line of even width."""
        self.carve.line(as_points(path), fill=255, width=width, joint="curve")

    def swelling_line(self, path: Array, width: float) -> None:
        """A carved line that swells in the middle and runs out to a point at either end."""
        swell = np.sin(np.linspace(0, np.pi, len(path)))[:, None] * width / 2
        side = normals(path) * swell
        self.carve.polygon(as_points(np.concatenate([path + side, (path - side)[::-1]])), fill=255)

    def stamp(self, mask: Mask, colour: str, line: int) -> None:
        """A flat area of any shape, outlined."""
        wider = mask.filter(ImageFilter.MaxFilter(2 * line + 1))
        self.colours.paste(colour, mask=mask)
        self.key = ImageChops.lighter(self.key, wider)
        self.key.paste(0, mask=mask)
        self.carve = ImageDraw.Draw(self.key)


def claw(base: Array, way: float, length: float, curl: float) -> Array:
    """The outline of a hooked finger of foam that starts at `base`."""
    t = np.linspace(0, 1, 14, dtype=np.float32)
    heading = way + curl * t**1.5
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * length / len(t)
    spine = base + np.cumsum(steps, axis=0) - steps[0]
    side = normals(spine) * (0.19 * length * (1 - t) ** 0.7)[:, None]
    return np.concatenate([spine + side, (spine - side)[::-1]]).astype(np.float32)


def foam_mask(rng: np.random.Generator, crest: Array, size: float) -> Mask:
    """Where there is foam along a crest: a row of scallops with claws reaching forward."""
    mask = Image.new("L", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(mask)
    heading = np.unwrap(np.arctan2(*np.gradient(crest, axis=0).T[::-1]))
    share = np.linspace(0, 1, len(crest))
    # Thin on the shoulder, thickest where the wave topples, running out into claws at the tip.
    thick = size * np.interp(share, (0, 0.55, 0.8, 1), (0.06, 1, 0.8, 0.45))
    body = normals(crest) * thick[:, None] * 0.75
    draw.polygon(as_points(np.concatenate([crest + body, (crest - body)[::-1]])), fill=255)
    for i in range(0, len(crest), 2):
        x, y = crest[i]
        r = thick[i] * rng.uniform(0.6, 1.1)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
        if share[i] < 0.2:
            continue
        for lean in rng.uniform(0.5, 1.8, 1 + i % 4 // 2):
            hook = claw(crest[i], heading[i] + lean, thick[i] * rng.uniform(2, 4), 1.3)
            draw.polygon(as_points(hook), fill=255)
    for lean in (-0.9, -0.3, 0.3, 0.9):
        hook = claw(crest[-1], heading[-1] + lean, size * rng.uniform(1.4, 2.3), 1.6)
        draw.polygon(as_points(hook), fill=255)
    return mask


def breaking_wave(block: Print, rng: np.random.Generator, foot: Array, size: float) -> None:
    """One wave: bands of blue sweeping up into the tip, carved lines, and a claw of foam."""
    lean = rng.uniform(0.9, 1.2)
    scale = np.array([size * lean, size], dtype=np.float32)
    back = smooth_curve(BACK) * scale + foot
    face = smooth_curve(FACE) * scale + foot
    bands = round(7 + size / 75)
    line = 2 + round(size / 130)
    edges = [back + (face - back) * (i / bands) ** 0.85 for i in range(bands + 1)]
    start = int(rng.integers(len(BLUES)))
    for i, (left, right) in enumerate(itertools.pairwise(edges)):
        colour = BLUES[(start + i) % len(BLUES)]
        if i == bands // 2 and rng.random() < 0.45:
            colour = VERMILION
        block.area(np.concatenate([left, right[::-1]]), colour)
        block.line(right, line)
        for share in (0.33, 0.66):
            first, last = np.sort(rng.integers(4, len(left) - 8, 2))
            between = left + (right - left) * share
            block.swelling_line(between[first : last + 8], line * 0.8)
    block.line(back, line + 1)
    crest = back[int(len(back) * 0.42) :]
    foam = foam_mask(rng, crest, size * 0.1)
    block.stamp(foam, "#a9cbd3", line)
    # The lit side of the foam is the same shape, moved towards the light and kept inside it.
    lit = moved(foam, -round(size * 0.025), -round(size * 0.035))
    block.colours.paste(FOAM, mask=ImageChops.darker(lit, foam))
    for x, y in crest[14::2] + rng.normal(0, 0.036 * size, crest[14::2].shape):
        r = size * 0.04 * rng.uniform(0.5, 1.2)
        block.carve.arc((x - r, y - r, x + r, y + r), 20, 200, fill=255, width=max(2, line - 1))
    spray = back[-1] + rng.normal(0, 0.2, (26, 2)) * size + np.array([0.24, -0.12]) * size
    for x, y in spray:
        r = min(9, size * rng.uniform(0.008, 0.022) + 1.5)
        block.fill.ellipse((x - r, y - r, x + r, y + r), fill=FOAM)
        block.carve.ellipse((x - r - 2, y - r - 2, x + r + 2, y + r + 2), fill=255)
        block.carve.ellipse((x - r, y - r, x + r, y + r), fill=0)


def swell(block: Print, rng: np.random.Generator, level: float, size: float) -> None:
    """The body of water under a rank of waves: long scalloped bands down to the bottom."""
    x = np.linspace(-20, WIDTH + 20, 200, dtype=np.float32)
    phase = rng.uniform(0, 2 * np.pi)
    for i in range(9):
        fold = np.abs(np.sin(x / (size * 0.55) + phase + 0.35 * i)) * size * 0.16
        top = np.stack([x, level + i * size * 0.11 - fold], axis=1)
        floor = np.array([[WIDTH + 20, HEIGHT + 20], [-20, HEIGHT + 20]], dtype=np.float32)
        block.area(np.concatenate([top, floor]), BLUES[(i + int(phase)) % len(BLUES)])
        block.line(top, 2 + round(size / 130))
        for first in rng.integers(0, 180, 14):
            depth = np.array([0, size * rng.uniform(0.025, 0.085)], dtype=np.float32)
            block.swelling_line(top[first : first + 20] + depth, 1 + size / 75)


def sky(rng: np.random.Generator, block: Print) -> None:
    """A sky shaded from blue to a red horizon, with a sun and bands of cloud."""
    _, y = grid()
    shade = ramp(
        rgb("#14346e", "#5f97bd", "#e9dcb8", "#efe2c0", "#eab48a", "#dd6a44"),
        np.clip((y + 16 * noise(rng, 300, 40)) / 560, 0, 1),
    )
    block.colours.paste(to_image(shade))
    centre = np.array([900, 215], dtype=np.float32)
    block.fill.ellipse((*(centre - 125), *(centre + 125)), fill=VERMILION)
    for level, left, right in ((70, 60, 620), (170, -90, 400), (30, 700, 1340), (230, 860, 1340)):
        t = np.linspace(0, 1, 60)
        for i in range(5):
            inset = 42 * abs(i - 1.7) + rng.uniform(0, 30)
            across = left + inset + (right - left - 2 * inset) * t
            wave = level + 19 * i + 6 * np.sin(across / 45 + i)
            path = np.stack([across, wave], axis=1)
            thick = 10 * (np.sin(np.pi * t)[:, None] + 1e-3) ** 0.4 * normals(path)
            outline = np.concatenate([path + thick, (path - thick)[::-1]])
            block.area(outline, FOAM if i % 2 else "#b9d3d6", line=2)


def waves(rng: np.random.Generator) -> Image.Image:
    """A woodblock print of ranks of breaking waves under a red sun."""
    block = Print()
    sky(rng, block)
    for rank, (level, size, spacing) in enumerate(RANKS):
        if rank == GREAT_RANK:
            swell(block, rng, 740, 330)
            breaking_wave(block, rng, np.array(GREAT_WAVE[0], dtype=np.float32), GREAT_WAVE[1])
        swell(block, rng, level, size)
        for x in np.arange(rng.uniform(-0.6, 0) * spacing, WIDTH + size, spacing):
            foot = np.array([x + rng.normal(0, 0.08 * spacing), level + 0.12 * size])
            breaking_wave(block, rng, foot.astype(np.float32), size * rng.uniform(0.85, 1.12))

    x, y = grid()
    pixels = np.asarray(block.colours, dtype=np.float32)
    grain = np.sin(y / 3.6 + 7 * noise(rng, 700, 150) + 1.2 * noise(rng, 90, 12))
    # The plank shows most where the ink was wiped thin: in the sky.
    plank = np.clip(1.25 - y / 520, 0.3, 1)
    wiped = 0.075 * grain * plank + 0.06 * layered_noise(rng, 40, 4) + 0.04 * noise(rng, 3)
    pixels = pixels * (1 + wiped[..., None])
    # Blocks never register perfectly, and the key block prints a little unevenly.
    key = moved(block.key, 2, 1).filter(ImageFilter.GaussianBlur(0.7))
    ink = np.asarray(key, dtype=np.float32) / 255 * np.clip(0.93 + 0.12 * noise(rng, 30), 0, 1)
    return to_image(pixels * (1 - ink[..., None]) + INK * ink[..., None])


# --- papercut --------------------------------------------------------------------------------

GROUND = "#fff4dc"
# What goes together on one sheet: its own colour, then those of the cut-outs on it.
SCHEMES = (
    ("#ffc400", "#0047bb", "#e4002b", "#fff4dc"),
    ("#e10098", "#7ac143", "#ffc400", "#121212"),
    ("#0047bb", "#ff6a13", "#ffc400", "#fff4dc"),
    ("#fff4dc", "#00843d", "#e10098", "#0047bb"),
    ("#ff6a13", "#6a1b9a", "#fff4dc", "#00a3e0"),
    ("#00843d", "#ff8fb1", "#ffc400", "#fff4dc"),
    ("#7ac143", "#0047bb", "#fff4dc", "#e10098"),
    ("#6a1b9a", "#ffc400", "#ff6a13", "#7ac143"),
    ("#00a3e0", "#e4002b", "#fff4dc", "#121212"),
    ("#ff8fb1", "#00843d", "#e4002b", "#0047bb"),
    ("#2a1470", "#ff6a13", "#00a3e0", "#ffc400"),
)


class Collage:
    """Sheets of painted paper glued on top of one another."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.x, self.y = grid()
        self.pixels = np.full((HEIGHT, WIDTH, 3), rgb(GROUND), dtype=np.float32)
        self.strokes = noise(rng, 300, 7) + 0.8 * noise(rng, 140, 14) + 0.4 * noise(rng, 90, 4)
        self.tooth = noise(rng, 4)
        self.patches = layered_noise(rng, 160, 3)

    def glue(self, mask: Mask, colour: str, lift: float = 9) -> None:
        """Glue on a cut-out in brushed gouache; `lift` is how far its shadow falls."""
        box = mask.getbbox()
        if box is None:
            return
        margin = int(3 * lift)
        left, top = max(0, box[0] - margin), max(0, box[1] - margin)
        right, bottom = min(WIDTH, box[2] + 2 * margin), min(HEIGHT, box[3] + 2 * margin)
        part = (slice(top, bottom), slice(left, right))
        cut = mask.crop((left, top, right, bottom))
        fallen = moved(cut, round(lift), round(lift * 1.2))
        shadow = np.asarray(fallen.filter(ImageFilter.GaussianBlur(lift * 0.8)), np.float32) / 255
        sheet = np.asarray(cut.filter(ImageFilter.GaussianBlur(1)), dtype=np.float32) / 255

        angle = self.rng.uniform(0, np.pi)
        brushed = turned(self.strokes, self.x[part], self.y[part], angle)
        plain = rgb(colour)[0]
        # Streaks that suit strong colours would look like dirt on cream paper.
        strength = 0.5 + 0.6 * np.ptp(plain) / 255
        tone = 0.11 * brushed + 0.1 * self.patches[part] + 0.05 * self.tooth[part]
        tone *= strength
        paint = plain * (1 + np.minimum(tone, 0))[..., None]
        # Thin paint shows brighter, but black must not turn to chalk.
        lift_by = np.maximum(tone, 0)[..., None] * (0.25 + 0.75 * plain.max() / 255)
        paint += (0.5 * (255 - paint) + 0.35 * plain) * lift_by
        # The cut shows the white core of the paper where the light strikes it.
        paint += 150 * np.clip(relief(sheet, 0.9), -0.4, 1)[..., None] * sheet[..., None]
        under = self.pixels[part] * (1 - 0.62 * shadow[..., None])
        self.pixels[part] = under + (paint - under) * sheet[..., None]


def blank() -> tuple[Mask, ImageDraw.ImageDraw]:
    """An empty mask and something to draw on it with."""
    mask = Image.new("L", (WIDTH, HEIGHT), 0)
    return mask, ImageDraw.Draw(mask)


def snipped(rng: np.random.Generator, outline: Array) -> Mask:
    """A cut-out with this outline, with the little slips of a pair of scissors."""
    mask, draw = blank()
    slip = 0.3 + np.ptp(outline, axis=0).max() / 300
    draw.polygon(as_points(outline + rng.normal(0, slip, outline.shape)), fill=255)
    return mask


def oval(centre: Array, across: float, down: float, start: float = 0, end: float = 360) -> Array:
    """The outline of an oval, or of a part of it between two angles in degrees."""
    t = np.radians(np.linspace(start, end, 40))
    return centre + np.stack([np.cos(t) * across, np.sin(t) * down], axis=1)


def turn_about(points: Array, centre: Array, angle: float) -> Array:
    """Points turned about a centre."""
    cos, sin = np.cos(angle), np.sin(angle)
    return (points - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre


def frond(rng: np.random.Generator, foot: Array, angle: float, length: float) -> Mask:
    """A seaweed leaf: a bending stem with rounded fingers on both sides."""
    mask, draw = blank()
    t = np.linspace(0, 1, 22)
    heading = angle + rng.uniform(-0.9, 0.9) * t
    stem = foot + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1), 0) * length / len(t)
    draw.line(as_points(stem), fill=255, width=round(length * 0.075), joint="curve")
    for i in range(3, len(t), 4):
        reach = length * 0.4 * np.sin(np.pi * (0.2 + 0.62 * t[i])) * rng.uniform(0.85, 1.15)
        for side in (-1, 1):
            bend = heading[i] + side * np.linspace(1.3, 0.75, 12)
            finger = np.stack([np.cos(bend), np.sin(bend)], 1).cumsum(0) * reach / 12 + stem[i]
            for step, (x, y) in enumerate(finger):
                r = length * (0.03 + 0.024 * step / 12)
                draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    # Blurring and sharpening again rounds the crotches between the fingers as scissors would.
    soft = mask.filter(ImageFilter.GaussianBlur(length * 0.01))
    return soft.point(lambda value: 255 if value > 120 else 0)


def panels(rng: np.random.Generator, box: Box, depth: int) -> list[Box]:
    """A rectangle cut up, across and down by turns, into uneven smaller ones."""
    left, top, right, bottom = box
    if depth == 0:
        return [box]
    share = rng.uniform(0.38, 0.62)
    if right - left > bottom - top:
        middle = left + share * (right - left)
        halves = ((left, top, middle, bottom), (middle, top, right, bottom))
    else:
        middle = top + share * (bottom - top)
        halves = ((left, top, right, middle), (left, middle, right, bottom))
    return [panel for half in halves for panel in panels(rng, half, depth - 1)]


class Sheet:
    """One panel of a collage, and the colours of the cut-outs that go on it."""

    def __init__(self, collage: Collage, box: Box, colours: Sequence[str]) -> None:
        self.collage, self.rng, self.colours = collage, collage.rng, colours
        self.left, self.top, self.right, self.bottom = box
        self.across, self.down = self.right - self.left, self.bottom - self.top
        self.centre = np.array([self.left + self.right, self.top + self.bottom]) / 2
        self.size = min(self.across, self.down) / 2

    def glue(self, outline: Array, colour: int, lift: float = 9) -> None:
        """Glue on a cut-out with this outline, in one of the sheet's colours."""
        self.collage.glue(snipped(self.rng, outline), self.colours[colour], lift)


def sprinkle(sheet: Sheet) -> None:
    """Rows of little seeds, all of one colour."""
    rng = sheet.rng
    mask, draw = blank()
    lean = rng.uniform(0, np.pi)
    slim = rng.uniform(0.35, 1)
    for row, y in enumerate(np.arange(sheet.top + 14, sheet.bottom, 42)):
        for x in np.arange(sheet.left + 14 + 22 * (row % 2), sheet.right, 44):
            centre = np.array([x, y]) + rng.normal(0, 2.5, 2)
            seed = turn_about(oval(centre, 13, 13 * slim), centre, lean + rng.normal(0, 0.2))
            draw.polygon(as_points(seed), fill=255)
    sheet.collage.glue(mask, sheet.colours[2], lift=4)


def weed(sheet: Sheet) -> None:
    """One frond growing up the sheet."""
    foot = np.array([sheet.centre[0], sheet.bottom - 0.04 * sheet.down])
    angle = -np.pi / 2 + sheet.rng.normal(0, 0.2)
    sheet.collage.glue(frond(sheet.rng, foot, angle, sheet.down * 0.92), sheet.colours[0])


def target(sheet: Sheet) -> None:
    """Discs on discs, a little off centre."""
    for i, share in enumerate((0.95, 0.68, 0.42, 0.18)):
        middle = sheet.centre + sheet.rng.normal(0, 0.05 * sheet.size, 2)
        sheet.glue(oval(middle, share * sheet.size, share * sheet.size), i % 3)


def arches(sheet: Sheet) -> None:
    """A rainbow standing on the lower edge."""
    middle = np.array([sheet.centre[0], sheet.bottom])
    for i, share in enumerate((1.15, 0.88, 0.61, 0.34)):
        sheet.glue(oval(middle, share * sheet.size, 1.3 * share * sheet.size, 180, 360), i % 3)


def stripes(sheet: Sheet) -> None:
    """Bars from side to side, none quite level."""
    for i in range(5):
        top = sheet.top + (i + 0.12) * sheet.down / 5
        bottom = top + sheet.down / 8
        slope = sheet.rng.normal(0, 6)
        corners = ((sheet.left, top), (sheet.right, top + slope))
        sheet.glue(np.array([*corners, (sheet.right, bottom), (sheet.left, bottom)]), i % 2, 6)


def star(sheet: Sheet) -> None:
    """A star with a round heart."""
    points = 8
    reach = np.where(np.arange(2 * points) % 2, 0.42, 1.0) * sheet.size * 0.98
    t = np.arange(2 * points) * np.pi / points
    outline = sheet.centre + np.stack([np.cos(t), np.sin(t)], 1) * reach[:, None]
    sheet.glue(turn_about(outline, sheet.centre, sheet.rng.uniform(0, 1)), 0)
    sheet.glue(oval(sheet.centre, sheet.size * 0.25, sheet.size * 0.25), 1)


def triangles(sheet: Sheet) -> None:
    """A patchwork of triangles, leaning left and right by turns."""
    for row in range(3):
        for column in range(3):
            x, y = sheet.left + column * sheet.across / 3, sheet.top + row * sheet.down / 3
            corner = (x + sheet.across / 3 * ((row + column) % 2), y + sheet.down / 3)
            sheet.glue(np.array([(x, y), (x + sheet.across / 3, y), corner]), (row + column) % 3, 5)


def ribbons(sheet: Sheet) -> None:
    """Wavy bands from side to side."""
    for i in range(4):
        x = np.linspace(sheet.left, sheet.right, 40)
        wave = np.sin(x / sheet.across * 4 * np.pi + i) * sheet.down * 0.06
        y = sheet.top + (i + 0.5) * sheet.down / 4 + wave
        half = sheet.down * 0.062
        upper, lower = np.stack([x, y - half], 1), np.stack([x, y + half], 1)
        sheet.glue(np.concatenate([upper, lower[::-1]]), i % 2, 6)


def flower(sheet: Sheet) -> None:
    """Five petals in two colours."""
    petal = oval(sheet.centre + np.array([sheet.size * 0.52, 0]), sheet.size * 0.46, sheet.size * 0.24)
    for i in range(5):
        sheet.glue(turn_about(petal, sheet.centre, i * 2 * np.pi / 5 + 0.4), i % 2, 6)
    sheet.glue(oval(sheet.centre, sheet.size * 0.22, sheet.size * 0.22), 2)


MOTIFS = (weed, target, arches, stripes, star, triangles, ribbons, flower)
# These leave so much of their sheet bare that it is strewn with seeds first.
SPARSE = (weed, target, star, flower)


def papercut(rng: np.random.Generator) -> Image.Image:
    """Cut-outs in bright gouache colours, glued one on another."""
    collage = Collage(rng)
    boxes = panels(rng, (-10, -10, WIDTH + 10, HEIGHT + 10), 4)
    kinds = rng.permutation(np.arange(len(boxes)) % len(MOTIFS))
    for i, (box, kind) in enumerate(zip(boxes, kinds, strict=True)):
        left, top, right, bottom = box
        ground, *figures = SCHEMES[i % len(SCHEMES)]
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        slack = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rng.uniform(4, 24, (4, 2))
        collage.glue(snipped(rng, corners + slack), ground, lift=7)
        sheet = Sheet(collage, (left + 14, top + 14, right - 14, bottom - 14), figures)
        if MOTIFS[kind] in SPARSE:
            sprinkle(sheet)
        MOTIFS[kind](sheet)
    for foot, angle, length, colour in (
        ((300, 1010), -1.75, 660, "#e4002b"),
        ((1000, 40), 1.95, 560, "#fff4dc"),
        ((1130, 990), -1.5, 470, "#0047bb"),
    ):
        collage.glue(frond(rng, np.array(foot), angle, length), colour, lift=12)
    return to_image(collage.pixels)


# --- the command -----------------------------------------------------------------------------

PAINTERS: dict[str, tuple[int, Callable[[np.random.Generator], Image.Image]]] = {
    "swirls": (1889, swirls),
    "glass": (1220, glass),
    "waves": (1831, waves),
    "papercut": (1952, papercut),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint the pictures named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description="Paint the sample style pictures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PAINTERS))
    names = parser.parse_args(arguments).names or list(PAINTERS)
    if unknown := set(names) - set(PAINTERS):
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    for name in names:
        seed, painter = PAINTERS[name]
        picture = painter(np.random.default_rng(seed)).resize(SIZE, Image.Resampling.LANCZOS)
        path = Path(__file__).with_name(f"{name}.jpg")
        picture.save(path, quality=JPEG_QUALITY, optimize=True, subsampling=0)
        print(f"painted {path.name}")


if __name__ == "__main__":
    main()
