"""Jobs of one shape, optimized in company: as many at once as the device gains by, and as the memory has room for."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace
from itertools import chain

from PIL import Image

from stylebatch.tasks.devices.memory import room_for
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst.company import Ended, in_company
from stylebatch.tasks.pictures.resize import scaled_size
from stylebatch.tasks.plan.batches import most_in_company
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.stylizing.objective import encoder_of
from stylebatch.tasks.stylizing.stylize import Finished, make


def make_together(
    first: tuple[Job, Image.Image], others: Iterable[tuple[Job, Image.Image]], slot: Slot, trace: bool
) -> Generator[Ended[Job, Finished]]:
    """Make the pictures of jobs that `in_batches` has put together; each is told of when it is there.

    Args:
        first: a job, with its content in its own size.
        others: they are taken from here when there is room for them.
        trace: take in the losses of each step.
    """
    most = places(*first, slot)
    each = replace(slot, share=slot.share / most)
    asked = ((job, make(job, decoded, each, trace, frugal=False)) for job, decoded in chain([first], others))
    return in_company(asked, most)


def places(job: Job, decoded: Image.Image, slot: Slot) -> int:
    """How many jobs of this one's kind and shape to optimize at once, itself included."""
    settings = job.settings
    width, height = scaled_size(*decoded.size, settings.longer_side(decoded.size))
    encoder = encoder_of(job, settings.precision, slot.device)
    room = room_for(encoder, settings, width * height, slot.device, slot.share)
    return max(1, min(most_in_company(slot.device, settings.precision, width * height), room))
