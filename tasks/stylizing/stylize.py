"""The step that everything else serves: one pair becomes one picture and one record."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import torch
from PIL import Image
from prefect import Task, task
from prefect.cache_policies import NO_CACHE, CacheKeyFnPolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.results import get_result_store
from prefect.tasks import exponential_backoff
from torch import Tensor

from stylebatch.tasks.devices.leases import Leases
from stylebatch.tasks.devices.memory import fitting_size, is_out_of_memory
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, is_out_of_space
from stylebatch.tasks.nst.adam import Adam
from stylebatch.tasks.nst.color import with_colors_of
from stylebatch.tasks.nst.image import noise
from stylebatch.tasks.nst.layers import NETWORKS
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.losses import Losses
from stylebatch.tasks.nst.optimize import Optimized, optimize
from stylebatch.tasks.nst.scales import automatic_scales, carry_over, resolutions
from stylebatch.tasks.nst.stopping import Stalled
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.encode import write_png
from stylebatch.tasks.pictures.resize import resize, scaled_size
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.progress import Stopped, stopping, watcher
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.results.trace import Trace
from stylebatch.tasks.stylizing.feedforward import paint
from stylebatch.tasks.stylizing.objective import make_objective, to_picture, to_tensor


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


def start_picture(job: Job, content: Tensor) -> Tensor:
    """What the optimizer starts from, of ``content``'s shape (1, 3, H, W)."""
    height, width = content.shape[-2:]
    if job.init is not None:
        resized = load_picture(job.init, job.init_sha256).resize((width, height), Image.Resampling.BILINEAR)
        return to_tensor(resized, str(content.device))
    if job.settings.init == "noise":
        return noise(height, width, job.settings.seed).to(content.device)
    return content


def judge(job: Job, content: Tensor, picture: Image.Image, slot: Slot) -> Losses:
    """The losses of an 8-bit picture, in float32."""
    with torch.no_grad():
        objective = make_objective(job, content, "float32", slot.device, share=slot.share)
        return objective(to_tensor(picture, slot.device))


def optimize_from(
    job: Job,
    content: Tensor,
    start: Tensor,
    steps: int,
    slot: Slot,
    on_step: Callable[[int, Losses], None],
    frugal: bool,
) -> Optimized:
    """Optimize from ``start``, at the resolution that it has in common with ``content``, (1, 3, H, W)."""
    settings = job.settings
    return optimize(
        make_objective(job, content, settings.precision, slot.device, frugal, slot.share),
        start,
        LBFGS(min(settings.history, steps)) if settings.optimizer == "lbfgs" else Adam(settings.learning_rate),
        steps,
        on_step=on_step,
        stalled=Stalled(settings.tolerance),
    )


def optimize_by_scales(
    job: Job, picture: Image.Image, slot: Slot, on_step: Callable[[int, Losses], None], frugal: bool
) -> Made:
    """Optimize at each of the resolutions, from coarse to fine.

    Args:
        picture: the content in its own size.

    Returns:
        What was made at the finest, with the steps of all resolutions.
    """
    settings = job.settings
    scales = automatic_scales(settings.size) if settings.scales == "auto" else settings.scales
    shortest = NETWORKS[settings.network].minimum_side([*settings.content_layers, *settings.style_layers])
    fitting = sum(
        min(scaled_size(*picture.size, settings.size / 2**halvings)) >= shortest for halvings in range(scales)
    )
    content = start = torch.empty(0)
    optimized: Optimized | None = None
    steps_before = 0
    for size, steps in resolutions(settings.size, fitting, settings.steps):
        content = to_tensor(resize(picture, size), slot.device)
        before, start = start, start_picture(job, content)
        if optimized:
            start = carry_over(start, before, optimized.picture)
            steps_before += optimized.steps
        optimized = optimize_from(job, content, start, steps, slot, on_step, frugal)
    assert optimized is not None  # a picture that is too small for the network has been refused as a row
    return Made(content, optimized.picture, optimized.loss, steps_before + optimized.steps)


def paint_and_refine(
    job: Job, picture: Image.Image, slot: Slot, on_step: Callable[[int, Losses], None], frugal: bool
) -> Made:
    """Let the job's network paint, and the optimizer go on from there, if the job asks for it.

    Args:
        picture: the content in its own size.
    """
    content = to_tensor(resize(picture, job.settings.size), slot.device)
    painted = paint(job, content, slot, frugal)
    if not job.settings.refine:
        return Made(content, painted, None, 0)
    refined = optimize_from(job, content, painted, job.settings.refine, slot, on_step, frugal)
    return Made(content, refined.picture, refined.loss, refined.steps)


def finish(job: Job, made: Made, slot: Slot) -> tuple[Image.Image, Losses]:
    """The picture to be written, and its losses."""
    tensor = made.picture
    if job.settings.preserve_color == "luminance":
        tensor = with_colors_of(made.content, tensor)
    picture = to_picture(tensor)
    return picture, judge(job, made.content, picture, slot)


def stylize(job: Job, store: AnyStore, leases: Leases, trace: bool = False, frugal: bool = False) -> Record:
    """Stylize one pair and write its picture, and with ``trace`` its loss curve, into the store.

    A slot is taken from ``leases`` only for what is computed, so that another pair can have it while this one's content
    is decoded or its picture written. ``frugal`` takes as little memory as can be, and more time.

    Raises:
        BadInput: a picture is damaged, is not the one any more that the key was made of, or does not fit into memory.
        Stopped: the run was told to stop.
        OSError: the picture that was written reads as another one.
    """
    curve = Trace()
    watching, stop = watcher.get(), stopping.get()

    def on_step(step: int, losses: Losses) -> None:
        if stop.is_set():
            raise Stopped
        watching.stepped(job)
        if trace:
            curve.add(losses)

    decoded = load_picture(job.content, job.content_sha256)
    with leases.lease() as slot:
        started = time.perf_counter()
        make = paint_and_refine if job.settings.engine == "feedforward" else optimize_by_scales
        made = make(job, decoded, slot, on_step, frugal)
        picture, losses = finish(job, made, slot)
        seconds = time.perf_counter() - started
    if trace and made.steps:
        curve.write(store.trace(job.key))
    return keep(job, made, picture, losses, slot, seconds, store)


def stylize_together(jobs: Sequence[Job], store: AnyStore, leases: Leases) -> list[Record]:
    """Stylize jobs of one batch by one pass through their network, and write their pictures into the store.

    Each is said to have taken its share of the time.

    Raises:
        BadInput: as `stylize`.
        OSError: as `stylize`.
    """
    decoded = [load_picture(job.content, job.content_sha256) for job in jobs]
    with leases.lease() as slot:
        started = time.perf_counter()
        contents = torch.cat([to_tensor(resize(one, jobs[0].settings.size), slot.device) for one in decoded])
        painted = paint(jobs[0], contents, slot, frugal=False)
        made = [Made(contents[n : n + 1], painted[n : n + 1], None, 0) for n in range(len(jobs))]
        finished = [finish(job, one, slot) for job, one in zip(jobs, made, strict=True)]
        seconds = (time.perf_counter() - started) / len(jobs)
    return [
        keep(job, one, picture, losses, slot, seconds, store)
        for job, one, (picture, losses) in zip(jobs, made, finished, strict=True)
    ]


def keep(
    job: Job, made: Made, picture: Image.Image, losses: Losses, slot: Slot, seconds: float, store: AnyStore
) -> Record:
    """Write the picture into the store, and say all that is known of it.

    Raises:
        OSError: the picture that was written reads as another one.
    """
    output = store.picture(job.key)
    output_sha256 = write_png(picture, output)
    if load_picture(output, output_sha256) != picture:
        raise OSError(f"{output.name} was written, and reads as another picture")
    by_layer = {layer: loss.item() for layer, loss in losses.style.items()}
    content_loss, style_loss, tv_loss = losses.content.item(), sum(by_layer.values()), losses.tv.item()
    return Record(
        key=job.key,
        total_loss=content_loss + style_loss + tv_loss,
        content_loss=content_loss,
        style_loss=style_loss,
        tv_loss=tv_loss,
        style_loss_by_layer=by_layer,
        optimizer_loss=made.loss,
        steps=made.steps,
        seconds=seconds,
        machine=platform.node(),
        device=slot.device,
        width=picture.width,
        height=picture.height,
        attempts=1,
        output_sha256=output_sha256,
        content_sha256=job.content_sha256,
        style_sha256=job.style_sha256,
        masks_sha256=job.masks_sha256,
        weights_sha256=job.weights_sha256,
        model_sha256=job.model_sha256,
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


def retry_where_it_may_help(task: Task[Any, Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Prefect's question whether to try again."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, BaseException) and is_transient(error)


def _try(job: Job, store: AnyStore, leases: Leases, trace: bool, frugal: bool) -> Record:
    """`stylize`, where running out of memory in the frugal way is final."""
    try:
        return stylize(job, store, leases, trace, frugal)
    except Exception as error:
        if not (frugal and is_out_of_memory(error)):
            raise
    size = job.settings.size
    fitting = fitting_size(job.settings, 1.0, 0.5)
    raise BadInput(f"size: {size} does not fit into the memory; try {fitting}, or a shorter history")


def attempts_of(error: BaseException) -> int | None:
    """How often a pair was tried that ended with this error, as far as it came to be tried."""
    return vars(error).get(ATTEMPTS)


# On the error itself, since the process that computes may be another one.
ATTEMPTS = "attempts"
BY_KEY = CacheKeyFnPolicy(cache_key_fn=lambda context, parameters: parameters["job"].key)


@task(
    task_run_name="{job.id}",
    cache_policy=BY_KEY,
    persist_result=True,
    result_serializer="json",
    cache_result_in_memory=False,
    retries=3,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=0.5,
    retry_condition_fn=retry_where_it_may_help,
)
def stylize_pair(job: Job, store: AnyStore, leases: Leases, trace: bool = False) -> dict[str, Any]:
    """`stylize` as a Prefect task: cached by the pair's key, and tried again where that may help.

    Returns:
        The record, as JSON's types.
    """
    context = TaskRunContext.get()
    attempts = context.task_run.run_count if context else 1
    try:
        record = _try(job, store, leases, trace, attempts > 1)
    except Exception as error:
        vars(error)[ATTEMPTS] = attempts
        raise
    return record.model_copy(update={"attempts": attempts}).model_dump(mode="json")


@task(
    task_run_name="{jobs[0].id} and more, in one pass",
    cache_policy=NO_CACHE,
    persist_result=False,
    result_serializer="json",
    cache_result_in_memory=False,
)
def stylize_batch(jobs: Sequence[Job], store: AnyStore, leases: Leases) -> list[dict[str, Any]]:
    """`stylize_together` as a Prefect task, which leaves the records where `stylize_pair` would look for them.

    It is not tried again: where it fails, its jobs are stylized one by one.

    Returns:
        The records in the order of the jobs, as JSON's types.
    """
    records = [record.model_dump(mode="json") for record in stylize_together(jobs, store, leases)]
    results = get_result_store()
    for record in records:
        results.write(record, key=record["key"])
    return records
