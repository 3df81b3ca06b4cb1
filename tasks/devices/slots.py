"""The devices to compute on: each is a slot, or several, and a slot has one pair at a time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from stylebatch.tasks.errors import BadRequest


@dataclass(frozen=True)
class Slot:
    """Room for one pair: a device, or a share of it.

    Attributes:
        threads: of the processor; none leaves it at torch's own number.
        share: of the device's memory.
    """

    device: str
    threads: int | None = None
    share: float = 1.0


def is_auto(devices: str) -> bool:
    """Whether ``--devices`` leaves it open where to compute."""
    return devices.strip() == "auto"


def make_slots(devices: str) -> list[Slot]:
    """The slots that ``--devices`` asks for.

    Args:
        devices: ``auto``, every CUDA device or else the processor; or a list with commas of ``cpu``, ``cuda:N``, and
            ``N×cpu``, the processor as N slots that share its cores and its memory.

    Raises:
        BadRequest: it cannot be read, or names a device that is not there.
    """
    if is_auto(devices):
        return [Slot(name) for name in available_devices()]
    names = [name for part in devices.split(",") for name in _read(part.strip(), devices)]
    for name in names:
        if name != "cpu" and names.count(name) > 1:
            raise BadRequest(f"--devices {devices}: {name} is named twice")
    shares = names.count("cpu")
    cores = torch.get_num_threads()
    threads = max(1, cores // shares) if shares > 1 else None
    return [Slot(name, threads, 1 / shares) if name == "cpu" else Slot(name) for name in names]


def _read(part: str, devices: str) -> Iterator[str]:
    found = re.fullmatch(r"(?:([1-9]\d{0,3})\s*[×x*]\s*)?cpu|cuda:(\d+)", part)
    if part in ("cuda", "gpu"):
        raise BadRequest(f"--devices {devices}: write cuda:0, with a number, or auto for every CUDA device")
    if not found:
        raise BadRequest(f"--devices {devices}: write it as auto, cpu, 2×cpu, or cuda:0,cuda:1; not {part!r}")
    times, index = found.groups()
    if index is None:
        yield from ["cpu"] * int(times or 1)
    elif int(index) >= torch.cuda.device_count():
        there = ", ".join(available_devices())
        raise BadRequest(f"--devices {devices}: there is no cuda:{index} on this machine; it has {there}")
    else:
        yield f"cuda:{int(index)}"


def cuda_name(device: str) -> str:
    """What ``CUDA_VISIBLE_DEVICES`` is to be for a process that has this device alone; nothing for the processor.

    It may be set for this process too, and then the indices count among those it names.
    """
    if device == "cpu":
        return ""
    index = device.removeprefix("cuda:")
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return seen.split(",")[int(index)].strip() if seen else index


def usable_cores() -> int:
    """The cores that this process may use, whatever number of threads it has been told to take."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_devices() -> list[str]:
    """Every CUDA device, else the processor."""
    return [f"cuda:{index}" for index in range(torch.cuda.device_count())] or ["cpu"]
