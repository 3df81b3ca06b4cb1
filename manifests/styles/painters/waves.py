"""A woodblock print of waves."""

from __future__ import annotations

import itertools

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from painters.canvas import (
    HEIGHT,
    WIDTH,
    Array,
    Mask,
    as_points,
    grid,
    layered_noise,
    moved,
    noise,
    normals,
    ramp,
    rgb,
    smooth_curve,
    to_image,
)

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
