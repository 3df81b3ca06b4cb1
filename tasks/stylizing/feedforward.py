"""Stylizing in one pass through a network, for pictures of equal shape together, in strips where memory is short."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from stylebatch.tasks.devices.memory import free_memory, limit_of
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.networks.models import Network, load_model, load_trained
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.color import match_colors, match_luminance
from stylebatch.tasks.nst.condition import LOOKED_AT, look_at
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.plan.jobs import File, Job, Style
from stylebatch.tasks.stylizing.objective import by_regions, load_masks, pictures_of

STRIP = 128  # rows of a picture at a time, where it does not fit as a whole
# Bytes for each pixel of what lies at the picture's own resolution at once, for each of its channels and byte of a
# feature: a layer's input, its padded copy, its outcome, and the normalized one.
COPIES = 4
# Pixels of the longer side at which a style is looked at, at most: the network has learned its strokes up to there.
LARGEST_STYLE = 512


def paint(jobs: Sequence[Job], contents: Tensor, slot: Slot, frugal: bool) -> Tensor:
    """What the jobs' network makes of their contents (N, 3, H, W), RGB in [0, 1]; the same shape and range.

    Args:
        jobs: of one network and precision.
        frugal: in strips in any case.

    Raises:
        BadInput: the network's file was changed or is damaged, or a style is.
    """
    first = jobs[0]
    assert first.model  # what asks for a network was given one
    assert first.model_sha256
    network = load_model(first.model, first.model_sha256, slot.device)
    painter = _Painter(network, first, slot, frugal)
    strengths = contents.new_tensor([job.settings.strength for job in jobs])
    if isinstance(network, CollectionNetwork):  # it is told nothing
        painted = painter(contents, None, strengths)
        return torch.cat([_within_mask(job, painted[n : n + 1], contents[n : n + 1]) for n, job in enumerate(jobs)])
    each = [_conditions(job, contents[n : n + 1]) for n, job in enumerate(jobs)]
    if all(len(conditions) == 1 for conditions in each):
        return painter(contents, torch.cat(each), strengths)
    return torch.cat([_by_regions(painter, job, contents[n : n + 1], each[n]) for n, job in enumerate(jobs)])


def is_far(job: Job, longer: int) -> bool:
    """Whether the job's network is tuned to a style at other sizes than this longer side."""
    assert job.model  # as in `paint`
    assert job.model_sha256
    return load_trained(job.model, job.model_sha256).is_far(longer)


class _Painter:
    """Passes through a network, as many pictures at once as the memory has room for."""

    def __init__(self, network: Network, job: Job, slot: Slot, frugal: bool) -> None:
        self._network, self._dtype = network, DTYPES[job.settings.precision]
        room = slot.share * min(limit_of(job.settings, slot.device), free_memory(slot.device))
        self._room = 0.0 if frugal else room

    @torch.no_grad()
    def __call__(self, contents: Tensor, conditions: Tensor | None, strengths: Tensor) -> Tensor:
        """Contents (N, 3, H, W) as conditions (N, C) ask, if there are any, with strokes of these strengths (N,)."""
        given = (contents,) if conditions is None else (contents, conditions)
        if needed_memory(self._network, contents, self._dtype) <= self._room:
            painted: Tensor = self._network(*given, self._dtype, strength=strengths)
            return painted
        each = zip(*(torch.split(tensor, 1) for tensor in (strengths, *given)), strict=True)
        return torch.cat([self._network(*one, self._dtype, STRIP, strength) for strength, *one in each])


def needed_memory(network: Network, contents: Tensor, dtype: torch.dtype) -> float:
    """About the most, in bytes, that one pass over ``contents`` takes."""
    count, _, height, width = contents.shape
    return COPIES * count * height * width * network.architecture.outer * dtype.itemsize


def _by_regions(painter: _Painter, job: Job, content: Tensor, conditions: Tensor) -> Tensor:
    """The content painted as each style asks, each in its region; what no region has stays as it is."""
    masks = load_masks(job.styles, content)
    strength = content.new_tensor([job.settings.strength])
    assert masks is not None  # there are several conditions only where there are regions
    painted = torch.cat(
        [painter(content, condition, strength) for condition in torch.split(conditions, 1)]
    )  # (R, 3, H, W)
    return by_regions(painted, masks, content)


def _within_mask(job: Job, painted: Tensor, content: Tensor) -> Tensor:
    """What is painted, (1, 3, H, W), within the style's mask if it has one."""
    masks = load_masks(job.styles, content)
    return painted if masks is None else by_regions(painted, masks, content)


def _conditions(job: Job, content: Tensor) -> Tensor:
    """What the network is told for a job: the mean of its styles' conditions, or with masks one for each, (R, C)."""
    conditions = torch.cat([_condition(style, job, content) for style in job.styles])
    if job.masks_sha256 is None:
        shares = conditions.new_tensor([style.weight for style in job.styles])
        conditions = (shares[:, None] * conditions).sum(0, keepdim=True)
    strength = job.settings.strength
    if strength == 1:
        return conditions
    longer = max(content.shape[-2:])
    small = content
    if longer > LARGEST_STYLE:
        small = torch.nn.functional.interpolate(
            content, scale_factor=LARGEST_STYLE / longer, mode="bilinear", antialias=True
        )
    return torch.lerp(look_at(_load_encoder(str(content.device)), small), conditions, strength)


def _condition(style: Style, job: Job, content: Tensor) -> Tensor:
    """A style's condition (1, C), of the picture after it was given the content's colours where that is set."""
    settings, device = job.settings, str(content.device)
    longer = min(max(content.shape[-2:]), LARGEST_STYLE) * settings.style_scale
    if settings.preserve_color == "none":
        return _load_condition(style.pictures, longer, device)
    recolor = match_colors if settings.preserve_color == "match" else match_luminance
    shown = pictures_of(style.pictures, longer, device)
    return torch.stack([look_at(_load_encoder(device), recolor(one, content)) for one in shown]).mean(0)


@lru_cache(maxsize=1024)
def _load_condition(pictures: tuple[File, ...], longer: float, device: str) -> Tensor:
    """The condition of a style as it is, of a collection the mean, computed once a process."""
    return torch.stack([look_at(_load_encoder(device), one) for one in pictures_of(pictures, longer, device)]).mean(0)


@lru_cache(maxsize=2)
def _load_encoder(device: str) -> Encoder:
    """What looks at styles, whichever network the losses are told by: the bundled VGG-19, read once a process."""
    return Encoder(LOOKED_AT, device=device)
