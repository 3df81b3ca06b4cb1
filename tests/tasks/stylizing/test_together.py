"""Pairs that are optimized in company: what becomes of each is what becomes of it alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.memory import GB, in_use
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst import graphs
from stylebatch.tasks.nst.evaluation import Asked, Seen, evaluate
from stylebatch.tasks.nst.memory import content_memory, peak_memory, stages_of
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.plan import batches
from stylebatch.tasks.plan.chunks import Chunk
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.progress import Stopped, Watcher, stopping, watcher
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.stylizing.chunk import stylize_chunk
from stylebatch.tasks.stylizing.objective import encoder_of
from stylebatch.tasks.stylizing.stylize import stylize
from stylebatch.tasks.stylizing.together import places

CPU = Pool([Slot("cpu")])


@pytest.fixture(autouse=True)
def gain(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with bfloat16, where company gains something; float32 tells more exactly whether it changes anything."""
    monkeypatch.setattr(batches, "IN_COMPANY", {"float32": batches.IN_COMPANY["bfloat16"]})


SHALLOW = {
    "size": 64,
    "steps": 3,
    "precision": "float32",
    "content_layers": "relu2_1",
    "style_layers": "relu1_1,relu2_1",
}


def make_rows(samples: Path, rows: Sequence[dict[str, object]]) -> list[Job]:
    cat = {**SHALLOW, "content": "images/chelsea.jpg", "style": "styles/swirls.jpg"}
    manifest = Manifest(samples / "test.yaml", [{**cat, **row} for row in rows])
    pairs, bad_rows = check_rows(manifest, {})
    assert not bad_rows
    return make_jobs(manifest, pairs, Slot("cpu"))[0]


@pytest.fixture(scope="module")
def jobs(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    folder = tmp_path_factory.mktemp("masks")
    left = np.zeros((43, 64), np.uint8)
    left[:, :30] = 255
    masks = [str(folder / name) for name in ("left.png", "right.png")]
    for mask, name in zip((left, 255 - left), masks, strict=True):
        Image.fromarray(mask).save(name)
    return make_rows(
        samples,
        [
            {},
            {"style": ["styles/swirls.jpg", "styles/waves.jpg"]},
            {"style": ["styles/swirls.jpg", "styles/waves.jpg"], "masks": masks},
            {"preserve_color": "match", "objective": "classic"},
            {"content": "images/coffee.jpg", "scales": 2, "steps": 4},
            {"init": "noise", "optimizer": "adam", "steps": 2, "format": "jpeg", "tv_weight": 0.1},
        ],
    )


def chunk_of(jobs: list[Job]) -> Chunk:
    """Of jobs that a run would hand out apart, where their steps differ."""
    return Chunk([jobs])


def pixels(store: Store, job: Job) -> np.ndarray:
    return np.asarray(Image.open(store.picture(job.key, job.settings.format))).astype(int)


def test_pairs_in_company_are_what_they_are_alone(jobs: list[Job], tmp_path: Path) -> None:
    together, alone = Store(tmp_path / "together"), Store(tmp_path / "alone")
    stepped: list[str] = []

    class Counting(Watcher):
        def stepped(self, job: object) -> None:
            assert isinstance(job, Job)
            stepped.append(job.key)

    token = watcher.set(Counting())
    try:
        records = stylize_chunk(chunk_of(jobs), together, CPU, trace=True)
    finally:
        watcher.reset(token)
    for job, record in zip(jobs, records, strict=True):
        single = stylize(job, alone, CPU, trace=True)
        assert record
        assert stepped.count(job.key) == job.steps
        assert np.abs(pixels(together, job) - pixels(alone, job)).mean() < 0.5
        assert record.total_loss == pytest.approx(single.total_loss, rel=1e-3)
        assert record.optimizer_loss == pytest.approx(single.optimizer_loss, rel=1e-3)
        varying = {"seconds", "finished_at", "output_sha256", "total_loss", "content_loss", "style_loss", "tv_loss"}
        varying |= {"style_loss_by_layer", "optimizer_loss", "structure", "style_distance"}
        assert record.model_dump(exclude=varying) == single.model_dump(exclude=varying)
        curve, other = (pq.read_table(store.trace(job.key)).to_pydict() for store in (together, alone))
        assert curve["step"] == other["step"]
        assert curve["total_loss"] == pytest.approx(other["total_loss"], rel=1e-3)
        assert record.seconds > 0


def test_a_pair_that_fails_costs_itself_alone(jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose style was changed meanwhile, and one whose evaluation fails in whatever company it is."""
    changed = replace(jobs[0], key="0" * 64, styles=(replace(jobs[0].styles[0], sha256="0" * 64),))
    chunk = chunk_of([changed, *jobs[:4]])
    bad: list[Asked] = []

    def failing(asked: Sequence[Asked]) -> list[Seen]:
        regions = [one for one in asked if one.objective.regions]
        bad.extend(regions)
        if regions:
            raise RuntimeError("an illegal instruction")
        return evaluate(asked)

    monkeypatch.setattr(graphs, "evaluate", failing)
    records = stylize_chunk(chunk, Store(tmp_path), CPU)
    assert [record is not None for record in records] == [False, True, True, False, True]
    assert bad


def test_what_is_told_to_stop_keeps_what_has_ended(samples: Path, tmp_path: Path) -> None:
    short, *others = make_rows(samples, [{"steps": 1}, {"steps": 50}, {"steps": 50, "seed": 1}])
    store, stop = Store(tmp_path), threading.Event()

    class Stopping(Watcher):
        def stepped(self, job: object) -> None:
            steps.append(job)
            if store.segment(chunk.name).exists() or len(steps) > 20:
                stop.set()

    steps: list[object] = []
    chunk = chunk_of([short, *others])
    token, other = stopping.set(stop), watcher.set(Stopping())
    try:
        with pytest.raises(Stopped):
            stylize_chunk(chunk, store, CPU)
    finally:
        stopping.reset(token)
        watcher.reset(other)
    assert list(store.find_all(job.key for job in chunk.jobs)) == [short.key]
    again = stylize_chunk(Chunk([[short]]), store, CPU)
    assert again[0]


def test_memory_decides_how_many_are_optimized_at_once(samples: Path) -> None:
    (job,) = make_rows(samples, [{"size": 128}])
    decoded = load_picture(job.content)
    encoder = encoder_of(job, "float32", "cpu")
    stages = stages_of(encoder)
    one = peak_memory(stages, 128 * 85, 3, 0, content_memory(stages, job.settings.content_layers))

    def at_once(pictures: float) -> int:
        limit = (in_use("cpu") + pictures * one) / GB
        limited = replace(job, settings=job.settings.model_copy(update={"memory_limit": limit}))
        return places(limited, decoded, Slot("cpu"))

    assert at_once(100) == 4 * 128 * 128 // (128 * 85)
    assert at_once(3.5) == 3
    assert at_once(0.5) == 1
    assert places(replace(job, settings=job.settings.model_copy(update={"size": 256})), decoded, Slot("cpu")) == 1
