"""What a run has before it: rows that are done and to do, and the time and room that these take."""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.pictures.resize import scaled_size
from stylebatch.tasks.plan.batches import suited_slots
from stylebatch.tasks.plan.jobs import Job, check_decoding, make_jobs
from stylebatch.tasks.plan.rows import Pair
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.results.remote_store import open_store
from stylebatch.tasks.runs.gate import decide, keys_of
from stylebatch.tasks.storage.files import exists
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.stylizing.sizes import full_steps
from stylebatch.tasks.stylizing.stylize import stylize_in_memory
from stylebatch.tasks.training.engines import Choice

MORE = 3  # steps that a picture is tried with, beside one
TRIED = 2  # times, which differ by as much as other things that the machine does
LEAST_UNCERTAINTY = 0.2  # pictures differ by as much that were timed by one of them
PIXEL = 3  # bytes of a PNG at most; stylized pictures hardly compress


@dataclass(frozen=True)
class Outlook:
    """What is to be expected of a run.

    Attributes:
        done: rows whose pictures are there.
        to_do: rows whose are not.
        seconds: that these take, about.
        uncertainty: the share of ``seconds`` by which it may be more or less.
        needed: bytes of the pictures that are to be made, at most.
        free: bytes that the disk has; not known of an object store.
    """

    done: int
    to_do: int
    seconds: float
    uncertainty: float
    needed: int
    free: int | None


def look_ahead(
    manifest: Manifest, pairs: Sequence[Pair], folder: Place, slots: Sequence[Slot], is_free: bool = False
) -> Outlook:
    """Find what is done in a run's folder, and time one picture of each kind that is to do, at its own size.

    Args:
        pairs: the manifest's good rows. One that leaves its engine open counts as optimized, unless a network that is
            tuned to it is there: the run may find a quicker way.
        folder: the run's, which need not be there yet.
        slots: that the run has; where it ``is_free``, those that suit its work in their place.

    Raises:
        BadInput: a picture cannot be stylized, or does not fit into the memory.
    """
    store = open_store(folder)
    decided, _ = Choice(manifest, store, slots).resolve(pairs)
    jobs, _ = make_jobs(manifest, decided, slots[0])
    known = store.find_all(key for job in jobs for key in keys_of(job)) if exists(folder) else {}
    left = [after for job in jobs if isinstance(after := decide(job, known), Job)]
    todo, _, sizes = check_decoding({job.key: job for job in left}.values())
    shapes = {job.key: _shape(job, sizes[job.content]) for job in todo}
    seconds, uncertainty = _time(todo, shapes, suited_slots(slots, todo) if is_free else slots)
    return Outlook(
        done=len(jobs) - len(left),
        to_do=len(left),
        seconds=seconds,
        uncertainty=uncertainty,
        needed=PIXEL * sum(width * height for width, height in shapes.values()),
        free=_free(folder) if isinstance(folder, Path) else None,
    )


def _shape(job: Job, content: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the job's picture, of a content of these."""
    width, height = scaled_size(*content, job.settings.longer_side(content))
    return width, height


def _time(jobs: Sequence[Job], shapes: Mapping[str, tuple[int, int]], slots: Sequence[Slot]) -> tuple[float, float]:
    """Seconds of all jobs, by one of the middle size of each kind, and the share of them that is uncertain."""
    kinds: dict[Hashable, list[Job]] = defaultdict(list)
    for job in jobs:
        one = job.settings
        kinds[one.engine, one.network, one.objective, one.optimizer, one.precision, job.painted_only].append(job)
    pixels = {key: width * height for key, (width, height) in shapes.items()}
    totals = [0.0] * TRIED
    for group in kinds.values():
        tried = sorted(group, key=lambda job: pixels[job.key])[len(group) // 2]
        pictures = sum(pixels[job.key] for job in group) / pixels[tried.key]  # as many of the tried one's size
        steps = sum(pixels[job.key] * _steps(job, *shapes[job.key]) for job in group) / pixels[tried.key]
        _try(tried, 1, slots[0])  # the first one also builds what later ones use
        for trial in range(TRIED):
            least = _try(tried, 1, slots[0])
            step = 0.0 if tried.painted_only else max(0.0, _try(tried, 1 + MORE, slots[0]) - least) / MORE
            totals[trial] += (pictures * (least - step) + steps * step) / len(slots)
    apart = (max(totals) - min(totals)) / (sum(totals) or 1)
    return sum(totals) / TRIED, max(LEAST_UNCERTAINTY, apart)


def _steps(job: Job, width: int, height: int) -> float:
    """Of the optimizer, as many as they would be at the full size."""
    return job.settings.refine if job.settings.engine == "feedforward" else full_steps(job.settings, width, height)


def _try(job: Job, steps: int, slot: Slot) -> float:
    """Seconds that the job's picture takes with so many steps at its full size; or as it is, where it takes none."""
    change = {"refine": steps} if job.settings.engine == "feedforward" else {"steps": steps, "scales": 1}
    settings = job.settings if job.painted_only else job.settings.model_copy(update=change)
    started = time.perf_counter()
    stylize_in_memory(replace(job, settings=settings), Pool([slot]))
    return time.perf_counter() - started


def _free(folder: Path) -> int:
    """Bytes that the disk has on which the folder is, or would be."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    return shutil.disk_usage(there).free
