"""The leases: a device has one pair at a time, and no device waits while pairs do."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylebatch.flows import runners
from stylebatch.flows import stylize as flow
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.encode import write_picture
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.stylizing import stylize as step
from tests.waiting import FUSE

pytestmark = pytest.mark.usefixtures("alone")


def write_manifest(folder: Path, samples: Path) -> Path:
    manifest = folder / "pairs.yaml"
    manifest.write_text(
        f"defaults: {{size: 64, steps: 2}}\ncontents: {samples}/images/*.jpg\nstyles: [{samples}/styles/glass.jpg]\n"
    )
    return manifest


@pytest.mark.usefixtures("prefect", "no_grids")
def test_every_device_computes_and_none_two_pairs_at_once(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy: set[str] = set()
    used: list[str] = []
    together = 0
    lock = threading.Lock()
    real = step.optimize_by_scales

    def watched(job: Job, picture: Image.Image, slot: Slot, *options: Any) -> Any:
        nonlocal together
        with lock:
            assert slot.device not in busy
            busy.add(slot.device)
            used.append(slot.device)
            together = max(together, len(busy))
        try:
            return (yield from real(job, picture, slot, *options))
        finally:
            with lock:
                busy.remove(slot.device)

    monkeypatch.setattr(step, "optimize_by_scales", watched)
    # The same processor as two slots.
    monkeypatch.setattr(runners, "make_slots", lambda _: [Slot("cpu", share=0.5), Slot("cpu:0", share=0.5)])
    outcomes = flow.stylize(write_manifest(tmp_path, samples), tmp_path / "out")
    assert [outcome.status for outcome in outcomes] == ["completed"] * 4
    assert set(used) == {"cpu", "cpu:0"}
    assert together == 2


@pytest.mark.slow
@pytest.mark.usefixtures("prefect", "no_grids")
def test_the_next_picture_is_decoded_and_the_last_written_while_the_device_computes(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computing, decoded_meanwhile, written_meanwhile = threading.Event(), threading.Event(), threading.Event()
    optimize, load, write = step.optimize_by_scales, load_picture, write_picture

    def optimize_slowly(*arguments: Any) -> Any:
        computing.set()
        # Both happen while the one slot is taken, or these time out: from the second pair on, when pairs are under way.
        if calls:
            decoded_meanwhile.wait(FUSE)
            written_meanwhile.wait(FUSE)
        calls.append(1)
        try:
            return (yield from optimize(*arguments))
        finally:
            computing.clear()

    def load_watched(*arguments: Any) -> Any:
        if computing.is_set():
            decoded_meanwhile.set()
        return load(*arguments)

    def write_watched(*arguments: Any) -> Any:
        if not written_meanwhile.is_set() and computing.wait(FUSE):
            written_meanwhile.set()
        return write(*arguments)

    calls: list[int] = []
    monkeypatch.setattr(step, "optimize_by_scales", optimize_slowly)
    monkeypatch.setattr(step, "load_picture", load_watched)
    monkeypatch.setattr(step, "write_picture", write_watched)
    outcomes = flow.stylize(write_manifest(tmp_path, samples), tmp_path / "out", devices="cpu")
    assert [outcome.status for outcome in outcomes] == ["completed"] * 4
    assert decoded_meanwhile.is_set()
    assert written_meanwhile.is_set()
