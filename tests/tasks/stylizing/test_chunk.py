"""Chunks: what they make is what single jobs make, and what fails or is cut off costs its rows alone."""

from __future__ import annotations

import errno
import threading
import uuid
from pathlib import Path

import pytest
from PIL import Image
from upath import UPath

from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.plan.batches import in_batches
from stylebatch.tasks.plan.chunks import Chunk
from stylebatch.tasks.plan.jobs import Job, check_decoding, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.progress import Stopped, stopping
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.remote_store import AnyStore, RemoteStore
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.storage.files import names_in
from stylebatch.tasks.stylizing import chunk as line
from stylebatch.tasks.stylizing.chunk import stylize_chunk
from stylebatch.tasks.stylizing.stylize import Finished, keep, stylize

CPU = Pool([Slot("cpu")])
STYLES = ("swirls", "waves")
SIDES = {"wide": (64, 48), "tall": (48, 64), "other": (64, 48)}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory, samples: Path, small_network: Path) -> list[Job]:
    """Three pictures of two shapes, in two styles each, one of them written as JPEG."""
    folder = tmp_path_factory.mktemp("contents")
    with Image.open(samples / "images/chelsea.jpg") as cat:
        for number, (name, size) in enumerate(SIDES.items()):
            cat.resize(size, box=(40 * number, 0, 300, 300)).save(folder / f"{name}.png")
    settings = {"size": 64, "engine": "feedforward", "precision": "float32", "model": str(small_network)}
    rows = [
        {**settings, "content": f"{name}.png", "style": str(samples / f"styles/{style}.jpg")}
        for name in SIDES
        for style in STYLES
    ]
    rows[0]["format"] = "jpeg"
    manifest = Manifest(folder / "rows.csv", rows)
    pairs, bad_rows = check_rows(manifest, {})
    assert not bad_rows
    return make_jobs(manifest, pairs, Slot("cpu"))[0]


def chunk_of(jobs: list[Job]) -> Chunk:
    return Chunk(in_batches(jobs, check_decoding(jobs)[2]))


def made(records: list[Record | None]) -> list[str]:
    return [record.key for record in records if record]


def test_a_chunk_makes_what_single_jobs_make(jobs: list[Job], tmp_path: Path) -> None:
    store, alone = Store(tmp_path / "together"), Store(tmp_path / "alone")
    chunk = chunk_of(jobs)
    assert [len(batch) for batch in chunk.batches] == [4, 2]
    records = stylize_chunk(chunk, store, CPU)
    assert made(records) == [job.key for job in chunk.jobs]
    assert store.find_all(job.key for job in jobs) == {record.key: record for record in records if record}
    for job, record in zip(chunk.jobs, records, strict=True):
        single = stylize(job, alone, CPU)
        assert record
        assert store.has(record)
        assert record.total_loss == pytest.approx(single.total_loss, rel=1e-3)
        assert record.style_loss_by_layer == pytest.approx(single.style_loss_by_layer, rel=1e-3)
        assert record.structure == pytest.approx(single.structure, abs=1e-3)
        assert record.style_distance == pytest.approx(single.style_distance, rel=1e-3)


def test_what_is_made_is_not_made_again_and_what_is_torn_is(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, chunk = Store(tmp_path), chunk_of(jobs)
    records = stylize_chunk(chunk, store, CPU)
    segment = store.segment(chunk.name)
    lines = segment.read_bytes().splitlines(keepends=True)
    assert len(lines) == 6
    segment.write_bytes(b"".join(lines[:4]) + lines[4][:100])  # killed while it was written
    written: list[str] = []

    def noted(job: Job, finished: Finished, store: AnyStore) -> Record:
        written.append(job.key)
        return keep(job, finished, store)

    monkeypatch.setattr(line, "keep", noted)
    assert made(stylize_chunk(chunk, store, CPU)) == made(records)
    assert sorted(written) == sorted(made(records)[4:])
    assert len(store.find_all(made(records))) == 6
    written.clear()
    assert made(stylize_chunk(chunk, store, CPU, refresh=True)) == made(records)
    assert len(written) == 6


@pytest.mark.parametrize(
    ("error", "left"), [(OSError(errno.EIO, "the disk failed"), 1), (OSError(errno.ENOSPC, "it is full"), 3)]
)
def test_a_row_that_fails_is_left_and_a_full_disk_ends_the_chunk(
    error: OSError, left: int, jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, chunk = Store(tmp_path), chunk_of(jobs)
    bad = chunk.jobs[1].key

    def failing(job: Job, finished: Finished, store: AnyStore) -> Record:
        if job.key == bad:
            raise error
        return keep(job, finished, store)

    monkeypatch.setattr(line, "keep", failing)
    monkeypatch.setattr(line, "BEHIND", 0)
    records = stylize_chunk(chunk, store, CPU)
    assert records[1] is None
    assert records.count(None) == left
    assert len(store.find_all(job.key for job in jobs)) == 6 - left


def test_an_object_store_has_one_object_for_the_records_of_a_chunk(jobs: list[Job]) -> None:
    folder = UPath(f"memory://{uuid.uuid4().hex}/out")
    chunk = chunk_of(jobs[:2])
    records = stylize_chunk(chunk, RemoteStore(folder), CPU)
    assert made(records) == [job.key for job in chunk.jobs]
    assert names_in(RemoteStore(folder).records) == [f"{chunk.name}.jsonl"]
    RemoteStore(folder).sweep()
    assert RemoteStore(folder).find_all(made(records)) == {record.key: record for record in records if record}


def test_a_content_that_cannot_be_read_costs_its_rows(jobs: list[Job], tmp_path: Path) -> None:
    chunk = chunk_of(jobs)
    (torn,) = {job.content for job in jobs if job.content.name == "other.png"}
    data = torn.read_bytes()
    torn.write_bytes(data[:-200])
    try:
        records = stylize_chunk(chunk, Store(tmp_path), CPU)
    finally:
        torn.write_bytes(data)
    assert [job.content.name for job, record in zip(chunk.jobs, records, strict=True) if not record] == [
        "other.png"
    ] * 2


def test_a_chunk_that_is_told_to_stop_keeps_what_is_done(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, stop = Store(tmp_path), threading.Event()

    def last(job: Job, finished: Finished, store: AnyStore) -> Record:
        stop.set()
        return keep(job, finished, store)

    monkeypatch.setattr(line, "keep", last)
    token = stopping.set(stop)
    try:
        with pytest.raises(Stopped):
            stylize_chunk(chunk_of(jobs), store, CPU)
    finally:
        stopping.reset(token)
    assert len(store.find_all(job.key for job in jobs)) == 4, "the batch that was being written"
