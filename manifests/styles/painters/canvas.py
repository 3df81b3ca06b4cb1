"""What every painter uses: a canvas of pixels, noise, curves, gradients and light."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

Array = NDArray[np.float32]
Mask = Image.Image
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

# Everything is painted at twice the final size and then reduced: ImageDraw has no antialiasing.
SIZE = (640, 512)
WIDTH, HEIGHT = 2 * SIZE[0], 2 * SIZE[1]


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
