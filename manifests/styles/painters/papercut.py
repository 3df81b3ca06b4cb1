"""Cut-outs in painted paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from painters.canvas import (
    HEIGHT,
    WIDTH,
    Array,
    Box,
    Mask,
    as_points,
    grid,
    layered_noise,
    moved,
    noise,
    relief,
    rgb,
    to_image,
    turned,
)

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
