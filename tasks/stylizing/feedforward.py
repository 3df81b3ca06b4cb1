"""Stylizing by a trained network: one pass for pictures of equal shape, in strips where memory is short."""

from __future__ import annotations

import torch
from torch import Tensor

from stylebatch.tasks.devices.memory import free_memory, limit_of
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.networks.models import load_model
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.nst.transform import TransformNetwork
from stylebatch.tasks.plan.jobs import Job

STRIP = 128  # rows of a picture at a time, where it does not fit as a whole
# Bytes for each pixel of what lies at the picture's own resolution at once, for each of its channels and byte of a
# feature: a layer's input, its padded copy, its outcome, and the normalized one.
COPIES = 4


def paint(job: Job, contents: Tensor, slot: Slot, frugal: bool) -> Tensor:
    """What the job's network makes of contents (N, 3, H, W), RGB in [0, 1]; the same shape and range.

    Args:
        frugal: in strips in any case.

    Raises:
        BadInput: the network's file was changed or is damaged.
    """
    assert job.model  # what asks for a network was given one
    assert job.model_sha256
    network = load_model(job.model, job.model_sha256, slot.device)
    dtype = DTYPES[job.settings.precision]
    room = slot.share * min(limit_of(job.settings, slot.device), free_memory(slot.device))
    with torch.no_grad():
        if not frugal and needed_memory(network, contents, dtype) <= room:
            painted: Tensor = network(contents, dtype)
            return painted
        return torch.cat([network(contents[n : n + 1], dtype, STRIP) for n in range(len(contents))])


def needed_memory(network: TransformNetwork, contents: Tensor, dtype: torch.dtype) -> float:
    """About the most, in bytes, that one pass over ``contents`` takes."""
    count, _, height, width = contents.shape
    return COPIES * count * height * width * network.architecture.outer * dtype.itemsize
