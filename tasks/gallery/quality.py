"""Figures that the optimizer did not minimize, to compare results by; docs/galleries.md says what they cannot tell."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from prefect import task
from torch import Tensor

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.nst.color import luminance
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.figures import DISTANCE_LAYERS
from stylebatch.tasks.nst.figures import LONGER_SIDE as JUDGED_SIZE
from stylebatch.tasks.nst.layers import DEFAULT, NETWORKS
from stylebatch.tasks.nst.losses import blend, mean_grams, style_targets
from stylebatch.tasks.nst.ssim import WINDOW, ssim
from stylebatch.tasks.nst.style_distance import style_distance
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.runs.run_folder import Original, RunRow
from stylebatch.tasks.storage.files import read_bytes, write_atomically
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.stylizing.objective import to_tensor

JUDGE = NETWORKS[DEFAULT]
# To be raised with every change that gives other figures for the same pictures.
VERSION = 2
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("key", "output_sha256", "layers")),
        ("version", pa.int64()),
        ("content_similarity", pa.float64()),
        ("style_distance", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Figures:
    """Content similarity and style distance of one result; none where they cannot be told."""

    content_similarity: float | None
    style_distance: float | None


# What figures are known by: the pair's key, the picture's digest, and the layers that judged it.
FigureKey = tuple[str, str, str]


def judging_layers(optimized: Iterable[str]) -> tuple[str, ...]:
    """In each block of VGG-19 the first layer that no pair was optimized for."""
    taken = set(optimized)
    blocks = ([layer for layer in block if layer in JUDGE.layers and layer not in taken] for block in JUDGE.stages)
    return tuple(free[0] for free in blocks if free)


def figure_key(row: RunRow, layers: Sequence[str]) -> FigureKey:
    """The key of a finished row's figures."""
    return row.key, (row.result.sha256 if row.result else None) or "", ", ".join(layers)


@task(task_run_name="judge {rows[0].id} …", retries=2, retry_delay_seconds=1)
def judge(rows: Sequence[RunRow], layers: tuple[str, ...], device: str) -> list[Figures]:
    """The figures of finished rows, in their order."""
    unknown = layers and any(_told(row, layers) is None for row in rows)
    encoder = _load_encoder(layers, device) if unknown else None
    return [_judge(row, layers, encoder, device) for row in rows]


def _told(row: RunRow, layers: tuple[str, ...]) -> float | None:
    """The style distance that the report tells, where it is that of these layers."""
    return row.figures.get("style_distance") if layers == DISTANCE_LAYERS else None


@lru_cache(maxsize=4)
def _load_encoder(layers: tuple[str, ...], device: str) -> Encoder:
    """The judge, read once a process: the same for every result, whatever network it was made with."""
    return Encoder(layers, device=device)


def _judge(row: RunRow, layers: tuple[str, ...], encoder: Encoder | None, device: str) -> Figures:
    size = min(JUDGED_SIZE, max(row.width, row.height))
    try:
        result = _load(row.result, size, device) if row.result else None
    except (BadInput, OSError):
        result = None
    if result is None:
        return Figures(None, None)
    similarity, distance = None, _told(row, layers)
    try:
        content = _load(row.original, size, device)
        if content.shape == result.shape and min(content.shape[-2:]) >= WINDOW:
            similarity = ssim(luminance(content), luminance(result))
    except (BadInput, OSError):
        pass
    try:
        if (
            distance is None
            and encoder
            and min(result.shape[-2:]) >= JUDGE.minimum_side(layers)
            and row.styles
            and not row.masked
        ):
            scale = float(row.settings.get("style_scale", 1))
            grams = [_grams(style, size * scale, layers, encoder) for style in row.styles]
            total = sum(style.weight for style in row.styles)
            targets = blend(grams, [style.weight / total for style in row.styles])
            distance = style_distance(style_targets(encoder, result, layers), targets)
    except (BadInput, OSError):
        pass
    return Figures(similarity, distance)


def _load(picture: Original, size: float, device: str) -> Tensor:
    return to_tensor(resize(load_picture(picture.path, picture.sha256), size), device)


@lru_cache(maxsize=64)
def _grams(style: Original, size: float, layers: tuple[str, ...], encoder: Encoder) -> Mapping[str, Tensor]:
    """A style's Gram matrices, computed once a process."""
    device = str(encoder.mean.device)
    pictures = [Original(style.name, one, None) for one in style.members] or [style]
    return mean_grams(style_targets(encoder, _load(one, size, device), layers) for one in pictures)


def read_figures(file: Place) -> dict[FigureKey, Figures]:
    """The figures that `write_figures` left; none where there is no such file, or one of another version."""
    try:
        rows = read_parquet(read_bytes(file)).select(SCHEMA.names).cast(SCHEMA).to_pylist()
    except (OSError, BadInput, KeyError, pa.ArrowException):
        return {}
    return {
        (row["key"], row["output_sha256"], row["layers"]): Figures(row["content_similarity"], row["style_distance"])
        for row in rows
        if row["version"] == VERSION
    }


def write_figures(figures: Mapping[FigureKey, Figures], file: Path) -> None:
    """Write figures as Parquet, a row a result."""
    rows = [
        {
            "key": key,
            "output_sha256": output,
            "layers": layers,
            "version": VERSION,
            "content_similarity": found.content_similarity,
            "style_distance": found.style_distance,
        }
        for (key, output, layers), found in figures.items()
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), buffer)
    write_atomically(file, buffer.getvalue())
