"""Which number format the network computes in: the faster one on the device at hand."""

from __future__ import annotations

import time
from functools import cache
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]
DTYPES: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def core_rate(dtype: torch.dtype, size: int = 768, repeats: int = 2) -> float:
    """One core's best rate of a square matrix product, in floating-point operations a second of its own time.

    The time for which other processes have the core does not count.
    """
    a, b = (torch.ones(size, size, dtype=dtype) for _ in range(2))
    best = float("inf")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        a @ b  # the first call builds the kernel
        for _ in range(repeats):
            start = time.thread_time()
            a @ b
            best = min(best, time.thread_time() - start)
    finally:
        torch.set_num_threads(threads)
    return 2 * size**3 / best


@cache
def fastest_precision(device: str) -> Precision:
    """bfloat16 where the device has instructions for it and they are faster, else float32.

    A processor can have the instructions and be slower with them: an Emerald Rapids without AMX was measured at
    145 GFLOP/s in bfloat16 and 240 in float32, another machine at 414 and 150. So the library is asked first, and then
    the clock; the margin keeps the answer, which is part of a pair's key, the same from one start to the next.
    """
    if torch.device(device).type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    capabilities = torch.cpu.get_capabilities()
    if not any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16")):
        return "float32"
    # In turn and more than once: another job may be at the core's caches for the time of one measurement.
    rounds = [(core_rate(torch.bfloat16), core_rate(torch.float32)) for _ in range(3)]
    bfloat16, float32 = (max(rates) for rates in zip(*rounds, strict=True))
    return "bfloat16" if bfloat16 > 1.2 * float32 else "float32"
