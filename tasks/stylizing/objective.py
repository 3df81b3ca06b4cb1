"""A job's objective: its pictures, and its settings, as the mathematics takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.memory import choose_recomputed
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.weights import weights_here
from stylebatch.tasks.nst.color import grey, match_colors, match_luminance
from stylebatch.tasks.nst.encoder import Encoder, Pooling
from stylebatch.tasks.nst.forms import FORMS
from stylebatch.tasks.nst.guidance import guide, normalize_masks
from stylebatch.tasks.nst.layers import NETWORKS, NetworkName
from stylebatch.tasks.nst.losses import (
    Objective,
    Smaller,
    Weights,
    blend,
    content_targets,
    mean_grams,
    same,
    style_targets,
)
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.pictures.decode import load_mask, load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.pictures.voronoi import Cell, cell_mask
from stylebatch.tasks.plan.jobs import File, Job, Style
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.cache import as_file
from stylebatch.tasks.storage.files import has_digest
from stylebatch.tasks.storage.places import Place


def to_tensor(picture: Image.Image, device: str) -> Tensor:
    """A picture of mode RGB as (1, 3, H, W), float32, in [0, 1]."""
    return torch.from_numpy(np.array(picture)).to(device).permute(2, 0, 1)[None].float() / 255


def to_picture(tensor: Tensor) -> Image.Image:
    """(1, 3, H, W) in [0, 1], rounded to 8 bits a channel."""
    return Image.fromarray((tensor[0] * 255).round().byte().permute(1, 2, 0).cpu().numpy())


@lru_cache(maxsize=4)
def load_encoder(
    layers: frozenset[str],
    precision: str,
    pooling: Pooling,
    device: str,
    network: NetworkName,
    weights: Place,
    weights_sha256: str,
) -> Encoder:
    """The encoder, read once a process.

    Raises:
        BadInput: the weights are not those any more that the key was made of.
    """
    if not has_digest(weights, weights_sha256):
        raise BadInput(f"{weights.name} was changed while the run was going on; run again")
    with as_file(weights) as file:
        return Encoder(layers, DTYPES[precision], pooling, device, network, file)


def pictures_of(style: Iterable[File], longer: float, device: str) -> Iterator[Tensor]:
    """A style's pictures, one after another, since a collection has hundreds: (1, 3, H, W), RGB in [0, 1].

    Args:
        longer: side in pixels.

    Raises:
        BadInput: one is damaged, or was changed meanwhile.
    """
    for path, sha256 in style:
        yield to_tensor(resize(load_picture(path, sha256), longer), device)


@lru_cache(maxsize=64)
def load_style(pictures: tuple[File, ...], size: float, layers: tuple[str, ...], encoder: Encoder) -> dict[str, Tensor]:
    """The Gram matrices of a style as it is, of a collection their mean, computed once a process."""
    shown = pictures_of(pictures, size, str(encoder.mean.device))
    return mean_grams(style_targets(encoder, one, layers) for one in shown)


def style_grams(
    style: Style, settings: Settings, content: Tensor, encoder: Encoder, layers: tuple[str, ...]
) -> dict[str, Tensor]:
    """A style's Gram matrices, after it was given the content's colours or its range of luminance where that is set."""
    size = max(content.shape[-2:]) * settings.style_scale
    if settings.preserve_color == "none":
        return load_style(style.pictures, size, layers, encoder)
    recolor = match_colors if settings.preserve_color == "match" else match_luminance
    shown = pictures_of(style.pictures, size, str(content.device))
    return mean_grams(style_targets(encoder, recolor(one, content), layers) for one in shown)


def load_masks(styles: Sequence[Style], content: Tensor) -> Tensor | None:
    """The styles' masks (R, H, W) in [0, 1], 1 where they are white, 0 where they are black or transparent.

    Args:
        content: (1, 3, H, W), on the device that they are to be on.

    Returns:
        Nothing where there are no masks.
    """
    height, width = content.shape[-2:]
    masks = [
        cell_mask(style.mask, width, height)
        if isinstance(style.mask, Cell)
        else load_mask(style.mask, style.mask_sha256).resize((width, height), Image.Resampling.BILINEAR)
        for style in styles
        if style.mask
    ]
    if not masks:
        return None
    return normalize_masks(torch.stack([torch.from_numpy(np.array(mask)) for mask in masks]).to(content.device) / 255)


def by_regions(pictures: Tensor, masks: Tensor, content: Tensor) -> Tensor:
    """Pictures (R, 3, H, W), each in its region; what no region has is the content's, (1, 3, H, W).

    Args:
        masks: (R, H, W) in [0, 1], as of `load_masks`.
    """
    shares = masks[:, None]  # (R, 1, H, W)
    return (shares * pictures).sum(0, keepdim=True) + (1 - shares.sum(0, keepdim=True)).clamp_min(0) * content


def weights_of(settings: Settings) -> Weights:
    """The objective's weights as the settings have them, for the scale of the network's own features.

    The classic content loss grows with the square of the features, the style loss with their fourth power; the balanced
    ones have no scale.
    """
    unit = NETWORKS[settings.network].normalization.unit if settings.objective == "classic" else 1.0
    return Weights(
        content=settings.content_weight * unit**2,
        style=settings.style_weight * unit**4,
        tv=settings.tv_weight,
        tv_power=settings.tv_power,
        content_layers=settings.content_layers,
        style_layers=settings.style_layers,
    )


def encoder_of(job: Job, precision: str, device: str, also: Iterable[str] = ()) -> Encoder:
    """The job's network up to the deepest layer that its losses look at, or of ``also``.

    Raises:
        BadInput: the weights are not those any more that the key was made of.
    """
    settings = job.settings
    layers = frozenset({*settings.content_layers, *settings.style_layers, *also})
    file = weights_here(settings, job.weights)
    return load_encoder(layers, precision, settings.pooling, device, settings.network, file, job.weights_sha256)


def view_of(settings: Settings) -> Callable[[Tensor], Tensor]:
    """What the network is to see of a picture."""
    return grey if settings.preserve_color == "luminance" else same


def strengths_of(styles: Sequence[Style]) -> list[float]:
    """How strong each style is where it has a mask: with equal weights, each as strong as a style alone."""
    return [len(styles) * style.weight for style in styles]


def make_objective(
    job: Job, contents: Sequence[Tensor], precision: str, device: str, frugal: bool = False, share: float = 1.0
) -> Objective:
    """The pair's objective at the resolution of the last of ``contents``, for which all others are looked at, too.

    Args:
        contents: the content in each size, from coarse to fine, (1, 3, H, W) in [0, 1].
        frugal: take as little memory as can be, at the cost of time.
        share: of the device's memory that this pair has.

    Raises:
        BadInput: a picture is damaged, or does not fit into the memory.
    """
    settings, encoder = job.settings, encoder_of(job, precision, device)
    recomputed = 0
    if torch.is_grad_enabled():  # without gradients nothing is kept that could be computed again
        height, width = contents[-1].shape[-2:]
        recomputed = choose_recomputed(encoder, settings, (height, width), device, frugal, share)
    *coarser, own = (_at_one_size(job, content, encoder, recomputed) for content in contents)
    shapes = [(content.shape[-2], content.shape[-1]) for content in contents[:-1]]
    return replace(own, smaller=[Smaller(*one) for one in zip(shapes, coarser, strict=True)])


def _at_one_size(job: Job, content: Tensor, encoder: Encoder, recomputed: int) -> Objective:
    """The pair's objective at the resolution of ``content``, (1, 3, H, W)."""
    settings = job.settings
    kept = content_targets(encoder, view_of(settings)(content), settings.content_layers, FORMS[settings.objective])
    return with_styles(job, content, kept, encoder, recomputed)


def with_styles(
    job: Job,
    content: Tensor,
    kept: Mapping[str, Tensor],
    encoder: Encoder,
    recomputed: int = 0,
    also: Iterable[str] = (),
) -> Objective:
    """The pair's objective, from what it keeps of the content.

    Args:
        kept: by content layer, what the form's content distance sees of ``content``, (1, 3, H, W).
        also: layers at which its Gram matrices of the style are to be known, beside those of the losses.

    Raises:
        BadInput: a picture is damaged.
    """
    settings = job.settings
    layers = tuple(dict.fromkeys((*settings.style_layers, *also)))
    grams = [style_grams(style, settings, content, encoder, layers) for style in job.styles]
    masks = load_masks(job.styles, content)
    regions = None
    if masks is None:
        targets = blend(grams, [style.weight for style in job.styles])
    else:
        targets = {layer: torch.stack([gram[layer] for gram in grams]) for layer in layers}
        regions = guide(encoder, content, settings.style_layers, masks, strengths_of(job.styles))
    form = FORMS[settings.objective]
    return Objective(encoder, weights_of(settings), kept, targets, form, view_of(settings), regions, recomputed)
