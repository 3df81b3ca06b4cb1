"""Memory by choice: what a pair may take, and what follows from it."""

from __future__ import annotations

from functools import cache

import psutil
import torch

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.memory import PIXEL, content_memory, peak_memory, stages_of, stages_to_recompute
from stylebatch.tasks.request.settings import Settings

GB = 1e9
# What an error says where torch on the processor, or a library of the GPU's, could allocate no more.
OUT_OF_MEMORY = ("DefaultCPUAllocator", "_STATUS_ALLOC_FAILED", "CUDA error: out of memory")


@cache
def automatic_limit(device: str) -> float:
    """Half of the memory that is free at the first look, rounded down to 1, 2, 4, … GB, in bytes.

    What follows from it is how much is computed again instead of being kept, and never the picture or its key.
    """
    limit = GB
    while 2 * limit <= free_memory(device) / 2:
        limit *= 2
    return limit


def free_memory(device: str) -> float:
    """What this process may have of the device's memory: what is free, and what it has already. In bytes."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    return psutil.virtual_memory().available + in_use(device)


def in_use(device: str) -> float:
    """What this process has of the device's memory, in bytes."""
    if torch.device(device).type == "cuda":
        return torch.cuda.memory_allocated(device)
    return psutil.Process().memory_info().rss


def limit_of(settings: Settings, device: str) -> float:
    """The most that the process is to have, in bytes."""
    return automatic_limit(device) if settings.memory_limit == "auto" else settings.memory_limit * GB


def choose_recomputed(
    encoder: Encoder, settings: Settings, shape: tuple[int, int], device: str, frugal: bool, share: float = 1.0
) -> int:
    """How many of the encoder's stages to compute again in the backward pass so that a picture stays within the limit.

    Args:
        shape: height and width of the picture, in pixels.
        frugal: all of them, whatever the limit: memory has run out before.
        share: of the limit that this pair has, where several are computed on the device at once.

    Raises:
        BadInput: the picture does not fit even so; the text says which size would, or which history.
    """
    pixels = shape[0] * shape[1]
    stages, history = stages_of(encoder), min(settings.history, settings.optimizer_steps)
    content = content_memory(stages, settings.content_layers)
    # By its own choice the program leaves half of what is free to others; a picture that needs more may still have it.
    hard = free_memory(device) if settings.memory_limit == "auto" else limit_of(settings, device)
    hard, used = share * hard, share * in_use(device)
    least = used + peak_memory(stages, pixels, history, len(stages), content)
    if least > hard:
        fitting = fitting_size(max(shape), least - used, hard - used)
        shorter = int((hard - used - peak_memory(stages, pixels, 0, len(stages), content)) / (2 * PIXEL * pixels))
        raise BadInput(
            f"size: {settings.size} takes about {least / GB:.1f} GB with a history of {history}, and there are "
            f"{hard / GB:.1f}; {fitting} would fit" + (f", or a history of {shorter}" if shorter >= 1 else "")
        )
    if frugal:
        return len(stages)
    return stages_to_recompute(stages, pixels, history, share * limit_of(settings, device) - used, content)


def room_for(encoder: Encoder, settings: Settings, pixels: int, device: str, share: float = 1.0) -> int:
    """How many pictures of so many pixels stay within the limit together, without anything being computed again.

    Args:
        share: of the limit that they have.
    """
    stages, history = stages_of(encoder), min(settings.history, settings.optimizer_steps)
    each = peak_memory(stages, pixels, history, 0, content_memory(stages, settings.content_layers))
    return max(0, int(share * (limit_of(settings, device) - in_use(device)) / each))


def fitting_size(longer: int, needed: float, available: float) -> int:
    """The size at which a picture that needs ``needed`` bytes at ``longer`` would take no more than ``available``."""
    return max(16, int(longer * (max(available, 0) / needed) ** 0.5 * 0.95))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device had no memory left; torch has a type of its own for its own allocations on a GPU only."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in OUT_OF_MEMORY)
