"""One picture from Python: stylized in this process, without Prefect, and nothing is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from stylebatch.flows.given_pictures import Picture, named_pictures
from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.memory import is_out_of_memory
from stylebatch.tasks.devices.slots import Slot, make_slots
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.progress import Pending, Watcher, watcher
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.request.settings import Settings, check_settings
from stylebatch.tasks.request.styles import NamedStyle, written
from stylebatch.tasks.stylizing.stylize import Finished, stylize_in_memory, told_of, too_large

Style = Picture | Sequence[Picture | tuple[Picture, float]]
ROW = Path("row")  # as if it were a manifest in the working folder, which relative paths are relative to


@dataclass(frozen=True)
class Stylized:
    """A picture, and what a report's row would say of it.

    Attributes:
        picture: of mode RGB.
        total_loss: of this very picture, evaluated in float32 where it was optimized: the sum of the next three, each
            with its weight.
        style_loss_by_layer: they add up to ``style_loss``.
        structure: how much of the content is there, 1 all of it; ``style_distance``: from the style, 0 none. Neither is
            told of a picture that is too narrow for it.
        optimizer_loss: the best value that the optimizer saw; none where a network painted alone.
        steps: that the optimizer took.
        seconds: that the stylizing took.
        key: the digest of all that decides the picture.
        settings: with what ``auto`` stands for in its place.
    """

    picture: Image.Image
    total_loss: float
    content_loss: float
    style_loss: float
    tv_loss: float
    style_loss_by_layer: Mapping[str, float]
    structure: float | None
    style_distance: float | None
    optimizer_loss: float | None
    steps: int
    seconds: float
    device: str
    key: str
    settings: Settings


def stylize(
    content: Picture,
    style: Style,
    *,
    masks: Sequence[Picture] = (),
    device: str = "auto",
    allow_http: bool = False,
    progress: Callable[[int, int], object] | None = None,
    **settings: Any,
) -> Stylized:
    """Stylize one picture. What the next call needs again, the network and the style's features, stays in memory.

    Args:
        content: a picture, by its path or URL or as Pillow has it. Relative paths are relative to the working folder.
        style: a picture, or a list of pictures to be blended, each alone or in a tuple with its weight.
        masks: for each style a picture that is white where the style applies.
        device: where to compute: ``auto``, ``cpu``, ``cuda:0``.
        allow_http: let pictures be read from the web; never from a private address.
        progress: called after each step of the optimizer with the steps so far and the steps in all.
        settings: as in a manifest: ``size=256, content_weight=3``. ``init`` may be a picture of Pillow's too.

    Returns:
        The picture with its losses: those that a run would report for a row of these pictures and settings.

    Raises:
        BadInput: a picture is no good, or does not go with the rest; the text begins with the argument's name.
        BadRequest: there is no such setting, its value is not allowed, or the device is not there.
    """
    slot = make_slots(device)[0]
    given = {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in settings.items()}
    check_settings({name: value for name, value in given.items() if not isinstance(value, Image.Image)}, "stylize")
    with named_pictures() as name:
        row = given | {"content": name("content", content), "style": _written(style, name)}
        if masks:
            row["masks"] = [name("masks", mask) for mask in masks]
        if "init" in given:
            row["init"] = name("init", given["init"])
        job = _job(row, allow_http, slot)
        token = watcher.set(_Steps(job.steps, progress)) if progress else None
        try:
            # The caller may be in the middle of something for which gradients are switched off.
            with torch.inference_mode(False), torch.enable_grad():
                finished = _stylize(job, slot)
        finally:
            if token:
                watcher.reset(token)
    return Stylized(picture=finished.picture, **told_of(finished), key=job.key, settings=job.settings)


def _written(style: Style, name: Callable[[str, Picture], str]) -> str:
    """The style as a cell of a manifest."""
    parts = [style] if isinstance(style, str | os.PathLike | Image.Image) else style
    named = []
    for part in parts:
        picture, weight = part if isinstance(part, tuple) else (part, 1.0)
        called = name("style", picture)
        try:
            named.append(NamedStyle(called, float(weight)))
        except (TypeError, ValueError):
            raise BadInput(f"style: a weight is {weight!r}, which is no number") from None
    if not named:
        raise BadInput("style: names no picture")
    return written(named)


def _job(row: Mapping[str, Any], allow_http: bool, slot: Slot) -> Job:
    manifest = Manifest(ROW, [dict(row)], allow_http)
    pairs, bad_rows = check_rows(manifest, {})
    settled = [replace(pair, settings=_for_one(pair.settings)) for pair in pairs]
    jobs, vanished = make_jobs(manifest, settled, slot)
    for bad in (*bad_rows, *vanished):
        raise BadInput(bad.message)
    return jobs[0]


def _for_one(settings: Settings) -> Settings:
    """The settings for a picture by itself: it is judged, and no network is trained for it."""
    engine = "feedforward" if settings.effort == "draft" else "optimize"
    return settings.model_copy(update={"judge": 1.0, **({"engine": engine} if settings.engine == "auto" else {})})


def _stylize(job: Job, slot: Slot) -> Finished:
    """In the way that takes the least memory where it has run out otherwise."""
    for frugal in (False, True):
        try:
            return stylize_in_memory(job, Pool([slot]), frugal=frugal)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
    raise too_large(job)


class _Steps(Watcher):
    """Counts the steps for a caller."""

    def __init__(self, steps: int, progress: Callable[[int, int], object]) -> None:
        self._steps = steps
        self._progress = progress
        self._taken = 0

    def stepped(self, job: Pending) -> None:
        self._taken = min(self._taken + 1, self._steps)  # a second attempt begins anew
        self._progress(self._taken, self._steps)
