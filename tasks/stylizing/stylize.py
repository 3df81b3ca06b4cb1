"""The step that everything else serves: one pair becomes one picture and one record."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.leases import Leases
from stylebatch.tasks.devices.memory import fitting_size, is_out_of_memory
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, is_out_of_space
from stylebatch.tasks.nst.adam import Adam
from stylebatch.tasks.nst.color import with_colors_of
from stylebatch.tasks.nst.figures import Figures
from stylebatch.tasks.nst.ground import ground, statistics
from stylebatch.tasks.nst.image import noise
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.losses import Losses
from stylebatch.tasks.nst.optimize import Optimized, Search, alone, search
from stylebatch.tasks.nst.scales import carry_over, looked_at
from stylebatch.tasks.nst.stopping import Stalled
from stylebatch.tasks.pictures.decode import header_size, load_picture
from stylebatch.tasks.pictures.encode import encode, read_back, write_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.plan.jobs import File, Job
from stylebatch.tasks.progress import Stopped, stopping, watcher
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.results.trace import Trace
from stylebatch.tasks.stylizing.feedforward import is_far, paint
from stylebatch.tasks.stylizing.judging import is_judged, judge
from stylebatch.tasks.stylizing.objective import (
    by_regions,
    load_masks,
    make_objective,
    pictures_of,
    to_picture,
    to_tensor,
)
from stylebatch.tasks.stylizing.sizes import coarser_contents, ladder


@dataclass(frozen=True)
class Made:
    """A picture that was made of a content.

    Attributes:
        content: (1, 3, H, W), RGB in [0, 1], at the picture's resolution.
        picture: (1, 3, H, W), RGB in [0, 1].
        loss: what the optimizer saw at it, if there was one.
        steps: that the optimizer took.
    """

    content: Tensor
    picture: Tensor
    loss: float | None
    steps: int


def start_picture(job: Job, content: Tensor, slot: Slot, frugal: bool) -> Tensor:
    """What the optimizer starts from, of ``content``'s shape (1, 3, H, W)."""
    height, width = content.shape[-2:]
    if job.init is not None:
        resized = load_picture(job.init, job.init_sha256).resize((width, height), Image.Resampling.BILINEAR)
        return to_tensor(resized, str(content.device))
    if job.settings.init == "noise":
        return noise(height, width, job.settings.seed).to(content.device)
    if job.settings.init == "painted":
        return paint([job], content, slot, frugal)
    if job.settings.objective == "balanced" and job.settings.preserve_color == "none":
        return on_ground(job, content)
    return content


def on_ground(job: Job, content: Tensor) -> Tensor:
    """The content, (1, 3, H, W), in the colours and contrasts of its styles: blended, or each within its mask.

    The balanced content loss sees no colours. From here the optimizer has the most of the way in a pale or dark style
    behind it, which else takes a third of its steps.
    """
    size, device = max(content.shape[-2:]) * job.settings.style_scale, str(content.device)
    told = [load_statistics(style.pictures, size, device) for style in job.styles]
    grounds = torch.cat([ground(content, statistics) for statistics in told]).clamp(0, 1)  # (R, 3, H, W)
    masks = load_masks(job.styles, content)
    if masks is not None:
        return by_regions(grounds, masks, content)
    shares = grounds.new_tensor([style.weight for style in job.styles]).view(-1, 1, 1, 1)
    return (shares * grounds).sum(0, keepdim=True)


@lru_cache(maxsize=64)
def load_statistics(pictures: tuple[File, ...], size: float, device: str) -> Tensor:
    """What of a style the ground is made by, of a collection its mean, computed once a process.

    Args:
        size: longer side of the pictures, in pixels.
    """
    return torch.stack([statistics(one) for one in pictures_of(pictures, size, device)]).mean(0)


def optimize_from(
    job: Job,
    contents: Sequence[Tensor],
    start: Tensor,
    steps: int,
    slot: Slot,
    on_step: Callable[[int, Losses], None],
    frugal: bool,
) -> Search[Optimized]:
    """Optimize from ``start``, at the resolution that it has in common with the last of ``contents``, (1, 3, H, W)."""
    settings = job.settings
    return search(
        make_objective(job, contents, settings.precision, slot.device, frugal, slot.share),
        start,
        LBFGS(min(settings.history, steps)) if settings.optimizer == "lbfgs" else Adam(settings.learning_rate),
        steps,
        on_step=on_step,
        stalled=Stalled(settings.tolerance),
    )


def optimize_by_scales(
    job: Job, picture: Image.Image, slot: Slot, on_step: Callable[[int, Losses], None], frugal: bool
) -> Search[Made]:
    """Optimize at each of the resolutions, from coarse to fine.

    Args:
        picture: the content in its own size.

    Returns:
        What was made at the finest, with the steps of all resolutions.
    """
    contents: list[Tensor] = []  # from coarse to fine
    start = torch.empty(0)
    optimized: Optimized | None = None
    steps_before = 0
    for number, (size, steps) in enumerate(ladder(job.settings, *picture.size)):
        contents.append(to_tensor(resize(picture, size), slot.device))
        before, start = start, start_picture(job, contents[-1], slot, frugal)
        if optimized:
            start = carry_over(start, before, optimized.picture)
            steps_before += optimized.steps
        shown = [contents[other] for other in looked_at(job.settings.objective, number)]
        optimized = yield from optimize_from(job, shown, start, steps, slot, on_step, frugal)
    assert optimized is not None  # a picture that is too small for the network has been refused as a row
    return Made(contents[-1], optimized.picture, optimized.loss, steps_before + optimized.steps)


def paint_and_refine(
    job: Job, picture: Image.Image, slot: Slot, on_step: Callable[[int, Losses], None], frugal: bool
) -> Search[Made]:
    """Let the job's network paint, and the optimizer go on from there, if the job asks for it.

    Args:
        picture: the content in its own size.
    """
    content = to_tensor(resize(picture, job.settings.longer_side(picture.size)), slot.device)
    painted = paint([job], content, slot, frugal)
    if not job.settings.refine:
        return Made(content, painted, None, 0)
    shown = [*coarser_contents(job.settings, picture, slot.device), content]
    refined = yield from optimize_from(job, shown, painted, job.settings.refine, slot, on_step, frugal)
    return Made(content, refined.picture, refined.loss, refined.steps)


def finish(
    job: Job, original: Image.Image, made: Made, slot: Slot
) -> tuple[Image.Image, bytes | None, Losses | None, Figures | None]:
    """What is made of a tensor that is done.

    The picture as its file will have it, and that file's bytes where the format loses something; its losses, if it is
    judged, and, unless it is too narrow for them, its figures.

    Args:
        original: the content in its own size.
    """
    tensor = made.picture
    if job.settings.preserve_color == "luminance":
        tensor = with_colors_of(made.content, tensor)
    picture, file = as_written(job, to_picture(tensor))
    if not is_judged(job):
        return picture, file, None, None
    return picture, file, *judge(job, original, made.content, picture, slot)


def as_written(job: Job, picture: Image.Image) -> tuple[Image.Image, bytes | None]:
    """The picture as its file will have it, and that file's bytes where the format loses something."""
    if job.settings.format == "png":  # which is encoded when nobody waits for the device
        return picture, None
    file = encode(picture, job.settings.format, job.settings.quality)
    return read_back(file), file


@dataclass(frozen=True)
class Finished:
    """A picture with 8 bits a channel, and what it came to, as far as it was judged.

    Attributes:
        picture: as its file has it; ``file``: the bytes of that, where it was encoded for this.
        seconds: that it took, without the time for which its slot was waited for.
        loss: what the optimizer saw at it, if there was one.
        steps: that the optimizer took.
        curve: the losses of each step, where they were asked for.
    """

    picture: Image.Image
    file: bytes | None
    losses: Losses | None
    figures: Figures | None
    slot: Slot
    seconds: float
    loss: float | None = None
    steps: int = 0
    curve: Trace | None = None


def make(job: Job, decoded: Image.Image, slot: Slot, trace: bool, frugal: bool) -> Search[Finished]:
    """Make a job's picture, by as many steps of the optimizer as it takes; ``seconds`` are left to who counts them.

    Args:
        decoded: the content in its own size.
        trace: take in the losses of each step.
        frugal: take as little memory as can be, and more time.

    Raises:
        BadInput: a picture is damaged, is not the one any more that the key was made of, or does not fit into memory.
        Stopped: the run was told to stop.
    """
    watching, stop = watcher.get(), stopping.get()
    curve = Trace() if trace else None

    def on_step(step: int, losses: Losses) -> None:
        if stop.is_set():
            raise Stopped
        watching.stepped(job)
        if curve is not None:
            curve.add(losses)

    making = paint_and_refine if job.settings.engine == "feedforward" else optimize_by_scales
    made = yield from making(job, decoded, slot, on_step, frugal)
    return Finished(*finish(job, decoded, made, slot), slot, 0.0, made.loss, made.steps, curve)


def stylize_in_memory(job: Job, leases: Leases, trace: bool = False, frugal: bool = False) -> Finished:
    """Stylize one pair, and write nothing.

    Args:
        leases: a slot is taken from them only for what is computed, so that another pair can have it while this one's
            content is decoded or its picture written.
        trace: take in the losses of each step.
        frugal: take as little memory as can be, and more time.

    Raises:
        BadInput, Stopped: as `make`.
    """
    decoded = load_picture(job.content, job.content_sha256)
    with leases.lease() as slot:
        started = time.perf_counter()
        finished = alone(make(job, decoded, slot, trace, frugal))
        return replace(finished, seconds=time.perf_counter() - started)


def stylize(job: Job, store: AnyStore, leases: Leases, trace: bool = False, frugal: bool = False) -> Record:
    """Stylize one pair and write its picture, and with ``trace`` its loss curve, into the store.

    Raises:
        BadInput, Stopped: as `make`.
        OSError: the picture that was written reads as another one.
    """
    return keep(job, stylize_in_memory(job, leases, trace, frugal), store)


def told_of(finished: Finished) -> dict[str, Any]:
    """The fields of a record that say how a picture came out; nothing in those of its losses if it was not judged."""
    return {
        **_losses_of(finished.losses),
        "structure": finished.figures.structure if finished.figures else None,
        "style_distance": finished.figures.style_distance if finished.figures else None,
        "optimizer_loss": finished.loss,
        "steps": finished.steps,
        "seconds": finished.seconds,
        "device": finished.slot.device,
    }


def _losses_of(losses: Losses | None) -> dict[str, Any]:
    if losses is None:
        return {**dict.fromkeys(("total_loss", "content_loss", "style_loss", "tv_loss")), "style_loss_by_layer": {}}
    by_layer = {layer: loss.item() for layer, loss in losses.style.items()}
    parts = {"content_loss": losses.content.item(), "style_loss": sum(by_layer.values()), "tv_loss": losses.tv.item()}
    return {"total_loss": sum(parts.values()), **parts, "style_loss_by_layer": by_layer}


def keep(job: Job, finished: Finished, store: AnyStore) -> Record:
    """Write the picture into the store, and its loss curve if there is one, and say all that is known of it.

    Raises:
        OSError: the picture that was written reads as another one.
    """
    settings, picture = job.settings, finished.picture
    if finished.curve is not None and finished.steps:
        finished.curve.write(store.trace(job.key))
    output = store.picture(job.key, settings.format)
    output_sha256 = write_picture(finished.file or encode(picture, settings.format, settings.quality), output)
    if load_picture(output, output_sha256) != picture:
        raise OSError(f"{output.name} was written, and reads as another picture")
    return Record(
        key=job.key,
        **told_of(finished),
        machine=platform.node(),
        width=picture.width,
        height=picture.height,
        attempts=1,
        output_sha256=output_sha256,
        content_sha256=job.content_sha256,
        style_sha256=job.style_sha256,
        masks_sha256=job.masks_sha256,
        weights_sha256=job.weights_sha256,
        model_sha256=job.model_sha256,
        far_from_training=is_far(job, max(picture.size)) if job.model else None,
        settings=job.settings,
        finished_at=datetime.now(UTC),
    )


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help: the device or the disk failed, and not the input."""
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError):
        return False
    if is_out_of_space(error):
        return False
    return is_out_of_memory(error) or isinstance(error, OSError | torch.AcceleratorError)


def stylize_if_it_fits(job: Job, store: AnyStore, leases: Leases, trace: bool, frugal: bool) -> Record:
    """`stylize`, where running out of memory in the frugal way is final."""
    try:
        return stylize(job, store, leases, trace, frugal)
    except Exception as error:
        if not (frugal and is_out_of_memory(error)):
            raise
    raise too_large(job)


def too_large(job: Job) -> BadInput:
    """The error of a job that does not fit into the memory in the frugal way either."""
    fitting = fitting_size(job.settings.longer_side(header_size(job.content)), 1.0, 0.5)
    return BadInput(f"size: {job.settings.size} does not fit into the memory; try {fitting}, or a shorter history")
