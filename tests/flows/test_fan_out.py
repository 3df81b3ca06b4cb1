"""The leases: a device has one pair at a time, and no device waits while pairs do."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from flows import stylize as flow
from tasks import stylize as step
from tasks.jobs import Job
from tasks.record import Record
from tasks.store import Store


@pytest.mark.usefixtures("prefect")
def test_every_device_computes_and_none_two_pairs_at_once(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy: set[str] = set()
    used: list[str] = []
    together = 0
    lock = threading.Lock()
    real = step.stylize

    def watched(job: Job, store: Store, device: str, *options: bool) -> Record:
        nonlocal together
        with lock:
            assert device not in busy
            busy.add(device)
            used.append(device)
            together = max(together, len(busy))
        try:
            return real(job, store, device, *options)
        finally:
            with lock:
                busy.remove(device)

    monkeypatch.setattr(step, "stylize", watched)
    monkeypatch.setattr(flow, "available_devices", lambda: ["cpu", "cpu:0"])  # the same processor as two slots
    manifest = tmp_path / "pairs.yaml"
    manifest.write_text(
        "defaults: {size: 64, steps: 2}\n"
        f"contents: {samples}/images/*.jpg\n"
        f"styles: [{samples}/styles/glass.jpg, {samples}/styles/waves.jpg]\n"
    )
    outcomes = flow.stylize(manifest, tmp_path / "out")
    assert [outcome.status for outcome in outcomes] == ["completed"] * 8
    assert set(used) == {"cpu", "cpu:0"}
    assert together == 2
