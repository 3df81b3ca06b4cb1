"""Memory by choice: what follows from a limit, and what becomes of a pair that has no room."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.memory import (
    GB,
    automatic_limit,
    choose_recomputed,
    free_memory,
    in_use,
    is_out_of_memory,
)
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.memory import content_memory, peak_memory, stages_of
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.stylizing import objective
from stylebatch.tasks.stylizing.stylize import is_transient, stylize

CPU = Pool([Slot("cpu")])


def make_job(samples: Path, **settings: object) -> Job:
    row = {"content": "images/coffee.jpg", "style": "styles/swirls.jpg", "size": 64, "steps": 4, **settings}
    manifest = Manifest(samples / "test.yaml", [row])
    pairs, bad_rows = check_rows(manifest, {})
    assert not bad_rows
    (job,), _ = make_jobs(manifest, pairs, Slot("cpu"))
    return job


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(objective.weights_of(Settings()).layers)


def test_the_default_is_about_half_of_what_is_free() -> None:
    assert automatic_limit("cpu") in [1e9 * 2**power for power in range(12)]
    assert automatic_limit("cpu") <= max(1e9, free_memory("cpu") / 2) <= 2.2 * automatic_limit("cpu")


@pytest.mark.parametrize("free", [2e9, 15e9, 23e9, 500e9])
def test_what_the_machine_has_free_decides_no_key(free: float, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    automatic_limit.cache_clear()
    monkeypatch.setattr("stylebatch.tasks.devices.memory.free_memory", lambda device: free)
    large, limited = make_job(samples, size=2048), make_job(samples, size=2048, memory_limit=1)
    monkeypatch.undo()
    automatic_limit.cache_clear()
    assert large.key == limited.key == make_job(samples, size=2048).key
    assert large.settings.history == limited.settings.history == 50


def test_the_history_counts_as_far_as_the_steps_use_it(samples: Path) -> None:
    assert make_job(samples, steps=4, history=50).key == make_job(samples, steps=4, history=4).key
    assert make_job(samples, steps=4, history=3).key != make_job(samples, steps=4, history=4).key
    adam = {"optimizer": "adam", "steps": 4}
    assert make_job(samples, history=2, **adam).key == make_job(samples, history=50, **adam).key


def test_more_is_computed_again_the_less_room_there_is(encoder: Encoder) -> None:
    settings, shape = Settings(size=1024, steps=50), (768, 1024)
    stages = stages_of(encoder)
    content = content_memory(stages, settings.content_layers)
    most, least = (peak_memory(stages, 1024 * 768, 50, recomputed, content) for recomputed in (0, 5))

    def choose(memory: float) -> int:
        limited = settings.model_copy(update={"memory_limit": (in_use("cpu") + memory) / GB})
        return choose_recomputed(encoder, limited, shape, "cpu", frugal=False)

    assert choose(2 * most) == 0
    assert choose((most + least) / 2) > 0
    assert choose_recomputed(encoder, settings, shape, "cpu", frugal=True) == 5
    with pytest.raises(BadInput, match=r"size: 1024 takes about .* would fit, or a history of \d+$"):
        choose(0.9 * least)
    with pytest.raises(BadInput, match=r"size: 1024 takes about .* would fit$"):
        choose(least / 100)
    settings = Settings(size="original", steps=50)
    with pytest.raises(BadInput, match=r"size: original takes about .*; 9\d\d would fit"):
        choose(0.98 * least)


def test_the_picture_does_not_depend_on_the_memory(tmp_path: Path, samples: Path) -> None:
    job = make_job(samples)
    usual = stylize(job, Store(tmp_path / "usual"), CPU)
    frugal = stylize(job, Store(tmp_path / "frugal"), CPU, frugal=True)
    assert usual.output_sha256 == frugal.output_sha256


def test_a_pair_that_has_no_room_says_what_would_fit(tmp_path: Path, samples: Path) -> None:
    job = make_job(samples)
    job = replace(job, settings=job.settings.model_copy(update={"memory_limit": 0.01}))
    with pytest.raises(BadInput, match="size: 64 takes about"):
        stylize(job, Store(tmp_path), CPU)


def test_memory_that_runs_out_is_known_as_such() -> None:
    """With the real fault: for a moment, this process may have little more than it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000, before[1]))
    try:
        with pytest.raises(RuntimeError) as caught:
            torch.empty(400_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert is_out_of_memory(caught.value)
    assert is_transient(caught.value)


@pytest.mark.parametrize("text", ["cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_ALLOC_FAILED when calling"])
def test_a_librarys_memory_on_a_gpu_counts_too(text: str) -> None:
    assert is_out_of_memory(RuntimeError(text))
    assert not is_out_of_memory(RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"))
