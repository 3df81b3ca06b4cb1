"""The devices to compute on: each is one slot, and a pair has one to itself."""

from __future__ import annotations

import torch


def available_devices() -> list[str]:
    """Every CUDA device, else the processor as one slot that uses all its cores."""
    return [f"cuda:{index}" for index in range(torch.cuda.device_count())] or ["cpu"]
