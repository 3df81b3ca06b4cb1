"""Thick curling brush strokes, in oil."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from painters.canvas import (
    HEIGHT,
    WIDTH,
    Array,
    as_colour,
    as_points,
    grid,
    noise,
    normals,
    ramp,
    relief,
    rgb,
    to_image,
)

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
