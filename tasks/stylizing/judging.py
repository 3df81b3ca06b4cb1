"""What a picture came to: the losses of the file that was written, and the two figures of `tasks.nst.figures`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.figures import (
    DISTANCE_LAYERS,
    LAYERS,
    LONGER_SIDE,
    STRUCTURE_LAYER,
    Figures,
    Reference,
    figures_of,
)
from stylebatch.tasks.nst.forms import FORMS
from stylebatch.tasks.nst.layers import DEFAULT, NETWORKS
from stylebatch.tasks.nst.losses import Losses, blend, observe_each
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.stylizing.objective import (
    encoder_of,
    load_masks,
    load_style,
    make_objective,
    strengths_of,
    to_tensor,
    with_styles,
)
from stylebatch.tasks.stylizing.sizes import coarser_contents, ladder


@lru_cache(maxsize=4)
def load_judge(device: str, precision: str) -> Encoder:
    """The network that judges, read once a process: the bundled one, whatever the picture was made with."""
    return Encoder(LAYERS, DTYPES[precision], device=device)


def _precision(job: Job) -> str:
    """What a picture is judged in: where painting takes a hundredth of a second, judging is to be quick as well."""
    return job.settings.precision if job.painted_only else "float32"


def is_judged(job: Job) -> bool:
    """Whether the job's picture gets losses and figures; of painted ones the setting says for which share.

    By the key, so that it is the same pictures every time.
    """
    return not job.painted_only or int(job.key[:8], 16) < job.settings.judge * 2**32


def judge(
    job: Job, original: Image.Image, content: Tensor, picture: Image.Image, slot: Slot
) -> tuple[Losses, Figures | None]:
    """The losses and the figures of an 8-bit picture, in float32, or of a painted one in its own number format.

    Args:
        original: the content in its own size.
        content: as the losses see it, (1, 3, H, W) in [0, 1], of the picture's shape.

    Returns:
        The losses, and the figures but of a picture that is too narrow for them.

    Raises:
        BadInput: a file was changed meanwhile, or is damaged.
    """
    written = to_tensor(picture, slot.device)
    with torch.no_grad():
        if _sees_what_judges_see(job, picture):
            return _judge_at_once([job], content, written, slot)[0]
        shown = [*coarser_contents(job.settings, original, slot.device), content]
        losses = make_objective(job, shown, _precision(job), slot.device, share=slot.share)(written)
        return losses, _judge_apart(job, original, picture, slot)


def judge_together(
    jobs: Sequence[Job], originals: Sequence[Image.Image], contents: Tensor, pictures: Sequence[Image.Image], slot: Slot
) -> list[tuple[Losses, Figures | None]]:
    """`judge` for pictures of one shape: those that are judged alike, by one pass of the network for all of them.

    Args:
        contents: (N, 3, H, W).
    """
    found: dict[int, tuple[Losses, Figures | None]] = {}
    alike: dict[object, list[int]] = defaultdict(list)
    for n, (job, picture) in enumerate(zip(jobs, pictures, strict=True)):
        if _sees_what_judges_see(job, picture):
            settings = job.settings
            layers = repr((settings.content_layers, settings.style_layers))
            alike[settings.objective, _precision(job), layers, job.weights_sha256].append(n)
        else:
            found[n] = judge(job, originals[n], contents[n : n + 1], picture, slot)
    with torch.no_grad():
        for group in alike.values():
            written = torch.cat([to_tensor(pictures[n], slot.device) for n in group])
            verdicts = _judge_at_once([jobs[n] for n in group], contents[group], written, slot)
            found.update(zip(group, verdicts, strict=True))
    return [found[n] for n in range(len(jobs))]


def _sees_what_judges_see(job: Job, picture: Image.Image) -> bool:
    """Whether the losses' network and its input are those of the figures, so that one pass does for both."""
    settings = job.settings
    encoder = settings.network, settings.weights, settings.pooling, settings.preserve_color
    same = encoder == (DEFAULT, "auto", "max", "none") and len(ladder(settings, *picture.size)) == 1
    return same and max(picture.size) <= LONGER_SIDE and _is_wide_enough(picture)


def _is_wide_enough(picture: Image.Image) -> bool:
    return min(picture.size) >= NETWORKS[DEFAULT].minimum_side(LAYERS)


def _judge_at_once(
    jobs: Sequence[Job], contents: Tensor, written: Tensor, slot: Slot
) -> list[tuple[Losses, Figures | None]]:
    """By one pass over the contents, each once however many jobs are of it, and one over the pictures."""
    first = jobs[0]
    form, layers = FORMS[first.settings.objective], first.settings.content_layers
    encoder = encoder_of(first, _precision(first), slot.device, LAYERS)
    places: dict[str, int] = {}
    for n, job in enumerate(jobs):
        places.setdefault(job.content_sha256, n)
    order = {digest: place for place, digest in enumerate(places)}
    seen: dict[str, Tensor] = encoder(
        contents[list(places.values())], dict.fromkeys({*layers, STRUCTURE_LAYER}, Tensor.detach)
    )
    asked = []
    for n, job in enumerate(jobs):
        place, content = order[job.content_sha256], contents[n : n + 1]
        own = {layer: features[place : place + 1] for layer, features in seen.items()}
        kept = {layer: form.view(own[layer]) for layer in layers}
        objective = with_styles(job, content, kept, encoder, also=DISTANCE_LAYERS)
        style = {layer: objective.style[layer] for layer in DISTANCE_LAYERS}
        reference = Reference(own[STRUCTURE_LAYER], style, load_masks(job.styles, content), strengths_of(job.styles))
        asked.append((objective, reference.looks))
    return [(losses, figures_of(found)) for losses, found in observe_each(asked, written)]


def _judge_apart(job: Job, original: Image.Image, picture: Image.Image, slot: Slot) -> Figures | None:
    small = resize(picture, min(LONGER_SIDE, max(picture.size)))
    if not _is_wide_enough(small):
        return None
    encoder = load_judge(slot.device, _precision(job))
    content = to_tensor(original.resize(small.size, Image.Resampling.BILINEAR), slot.device)
    longer = max(small.size) * job.settings.style_scale
    grams = [load_style(style.pictures, longer, DISTANCE_LAYERS, encoder) for style in job.styles]
    masks = load_masks(job.styles, content)
    if masks is None:
        style = blend(grams, [style.weight for style in job.styles])
    else:
        style = {layer: torch.stack([gram[layer] for gram in grams]) for layer in DISTANCE_LAYERS}
    (kept,) = encoder(content, {STRUCTURE_LAYER: Tensor.detach}).values()
    reference = Reference(kept, style, masks, strengths_of(job.styles))
    return figures_of(encoder(to_tensor(small, slot.device), reference.looks))
