"""A job's objective: its pictures, and its settings, as the mathematics takes them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tasks.jobs import Job
from tasks.nst.color import grey, match_colors, match_luminance
from tasks.nst.encoder import Encoder, Pooling
from tasks.nst.losses import Objective, Weights, content_targets, same, style_targets
from tasks.nst.precision import DTYPES
from tasks.pictures import load_picture, resize
from tasks.settings import Settings


def to_tensor(picture: Image.Image, device: str) -> Tensor:
    """A picture of mode RGB as (1, 3, H, W), float32, in [0, 1]."""
    return torch.from_numpy(np.array(picture)).to(device).permute(2, 0, 1)[None].float() / 255


@lru_cache(maxsize=4)
def load_encoder(layers: frozenset[str], precision: str, pooling: Pooling, device: str) -> Encoder:
    """The encoder, read once a process."""
    return Encoder(layers, DTYPES[precision], pooling, device)


@lru_cache(maxsize=32)
def load_style(path: Path, sha256: str, size: float, layers: tuple[str, ...], encoder: Encoder) -> dict[str, Tensor]:
    """A style's Gram matrices, computed once a process."""
    picture = resize(load_picture(path, sha256), size)
    return style_targets(encoder, to_tensor(picture, str(encoder.mean.device)), layers)


def recolored_style(job: Job, content: Tensor, encoder: Encoder) -> dict[str, Tensor]:
    """The Gram matrices of the style after it was given the content's colours or its range of luminance."""
    settings = job.settings
    picture = resize(load_picture(job.style, job.style_sha256), settings.size * settings.style_scale)
    recolor = match_colors if settings.preserve_color == "match" else match_luminance
    return style_targets(encoder, recolor(to_tensor(picture, str(content.device)), content), settings.style_layers)


def weights_of(settings: Settings) -> Weights:
    """The objective's weights as the settings have them."""
    return Weights(
        content=settings.content_weight,
        style=settings.style_weight,
        tv=settings.tv_weight,
        tv_power=settings.tv_power,
        content_layers=settings.content_layers,
        style_layers=settings.style_layers,
    )


def make_objective(job: Job, content: Tensor, precision: str, device: str) -> Objective:
    """The pair's objective; ``content`` is (1, 3, H, W) in [0, 1]."""
    settings = job.settings
    weights = weights_of(settings)
    encoder = load_encoder(weights.layers, precision, settings.pooling, device)
    view = grey if settings.preserve_color == "luminance" else same
    if settings.preserve_color == "none":
        size = settings.size * settings.style_scale
        style = load_style(job.style, job.style_sha256, size, tuple(settings.style_layers), encoder)
    else:
        style = recolored_style(job, content, encoder)
    return Objective(encoder, weights, content_targets(encoder, view(content), settings.content_layers), style, view)
