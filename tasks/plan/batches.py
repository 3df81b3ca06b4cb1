"""Jobs that are done together: by one pass through a network, or by the optimizer in company."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import torch

from stylebatch.tasks.devices.slots import Slot, make_slots
from stylebatch.tasks.pictures.resize import scaled_size
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.storage.places import Place

# Of all pictures that one pass paints: eight of 256 x 256. More gain nothing, and would be lost together.
PIXELS = 8 * 256 * 256
# Of all pictures that the optimizer works on at once, by a processor's number format, and for GPUs. A processor with
# bfloat16 gains while its matrix products are small, and one without nothing that counts: measured, see the benchmarks.
# A GPU gains while launching a step's kernels takes longer than their arithmetic: on an H200 sixteen pairs do 2.3
# times as many steps a second as one at 256 px, and 1.3 times as many at 512 px; thirty-two do fewer, and 1.6 times.
IN_COMPANY = {"float32": 0, "bfloat16": 4 * 128 * 128, "cuda": 16 * 512 * 384}
MOST = 16  # pictures at once: what is done for each by itself is most of a step by then
# Pictures for each core from which on a processor paints in one pass with a slot a core: two of one thread were 1.44
# times as quick as one of two, whose threads wait for each other whenever a picture is decoded or written beside them.
MANY = 8
ROUNDS = 4  # times as many are handed out as are worked on at once, so that those that end early make room


def suited_slots(slots: Sequence[Slot], jobs: Sequence[Job]) -> Sequence[Slot]:
    """The slots that jobs are best done with, where these are there and none were asked for.

    A slot a core where many are to be painted in one pass, and there is no GPU.
    """
    cores = torch.get_num_threads()
    if slots == [Slot("cpu")] and len(jobs) >= MANY * cores and all(job.painted_only for job in jobs):
        return make_slots(f"{cores}×cpu")
    return slots


def most_in_company(device: str, precision: str, pixels: int) -> int:
    """How many pictures of so many pixels the optimizer is to work on at once; 1 where company gains nothing."""
    kind = device.partition(":")[0]
    return min(MOST, max(1, IN_COMPANY[precision if kind == "cpu" else kind] // pixels))


def in_batches(
    jobs: Sequence[Job], sizes: Mapping[Place, tuple[int, int]], slots: Sequence[Slot] = (Slot("cpu"),)
) -> list[list[Job]]:
    """The jobs, those that go together in one list; the lists by their first jobs.

    What goes together follows from the jobs and the slots alone, and not from how quick they are: the company that a
    picture is optimized in decides how its figures are rounded.

    Args:
        sizes: width and height of each content.
        slots: what they are computed by, of one kind as a rule.
    """
    shapes = [_shape(job, sizes) for job in jobs]
    kinds = [_kind(job, shape) for job, shape in zip(jobs, shapes, strict=True)]
    counts = Counter(kinds)
    batches: list[list[Job]] = []
    open_: dict[object, list[Job]] = defaultdict(list)
    for job, shape, kind in zip(jobs, shapes, kinds, strict=True):
        pixels = shape[0] * shape[1]
        if job.painted_only:
            most = max(1, PIXELS // pixels)
        else:
            at_once = min(most_in_company(slot.device, job.settings.precision, pixels) for slot in slots)
            shared_out = -(-counts[kind] // len(slots))
            most = min(ROUNDS * at_once, max(1, shared_out)) if at_once > 1 else 1
        together = open_[kind]
        if not together or len(together) >= most:
            together = []
            open_[kind] = together
            batches.append(together)
        together.append(job)
    return batches


def _shape(job: Job, sizes: Mapping[Place, tuple[int, int]]) -> tuple[int, int]:
    size = sizes[job.content]
    return scaled_size(*size, job.settings.longer_side(size))


def _kind(job: Job, shape: tuple[int, int]) -> object:
    """What is equal of jobs that go together."""
    settings = job.settings
    shared = settings.precision, settings.memory_limit, shape
    if job.painted_only:
        return job.model_sha256, *shared
    layers = frozenset({*settings.content_layers, *settings.style_layers})
    grey = settings.preserve_color == "luminance"
    # With equal steps, none waits long for the others until its row is told of.
    return settings.network, job.weights_sha256, settings.pooling, layers, grey, job.steps, *shared
