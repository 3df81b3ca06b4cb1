"""`make gpu-check`: where there is no GPU it says so, and what it measures can be measured on a processor."""

from __future__ import annotations

import pytest
import torch

from stylebatch.tasks.plan import batches
from tests.benchmarks import gpu_check


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_it_says_so_and_passes(capsys: pytest.CaptureFixture[str]) -> None:
    gpu_check.main()
    assert "no CUDA device" in capsys.readouterr().out


@pytest.mark.slow
def test_what_it_measures_of_steps_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_check, "WARM", 0)
    monkeypatch.setattr(gpu_check, "STEPS", 1)
    found = gpu_check.measure(48, 2, "cpu", side=256)
    assert (found.size, found.count) == (48, 2)
    assert 0 < found.share < 10
    assert found.seconds > 0
    assert found.predicted > 2 * 48 * 32 * 64 * 2


def test_pictures_are_painted_from_file_to_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PIXELS", 2 * 64 * 42)  # two of them go together
    assert gpu_check.paint_many("cpu", 4, 64) > 0
