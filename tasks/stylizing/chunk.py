"""Rows of a chunk, stylized by one pass a batch, or optimized in company.

While one batch is painted, the next is read and the last written. While pairs are optimized, the content of the next
one is read, and the pictures of those that have ended are written.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.leases import Leases
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import is_out_of_space
from stylebatch.tasks.nst.color import with_colors_of
from stylebatch.tasks.nst.figures import Figures
from stylebatch.tasks.nst.losses import Losses
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.plan.batches import PIXELS
from stylebatch.tasks.plan.chunks import Chunk
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.progress import Stopped, stopping, watcher
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.results.segments import Segment, records_of
from stylebatch.tasks.storage.locks import FileLocks
from stylebatch.tasks.stylizing.feedforward import paint
from stylebatch.tasks.stylizing.judging import is_judged, judge_together
from stylebatch.tasks.stylizing.stylize import Finished, as_written, keep
from stylebatch.tasks.stylizing.together import make_together

READERS = 2  # threads; decoding is quick beside the painting
WRITERS = 4  # they wait for the disk most of the time
AHEAD = 2  # batches that are read before their turn
BEHIND = 8 * PIXELS  # of pictures that may wait to be written

Verdict = tuple[Losses, Figures | None]
_File = tuple[Image.Image, bytes | None]  # the picture as its file has it, and that file's bytes if they are known


class _Read(NamedTuple):
    """A content: in its own size, where that is needed later, and as the network is to see it, (H, W, 3), 8 bits."""

    original: Image.Image | None
    pixels: np.ndarray


@dataclass(frozen=True)
class _Painted:
    """Pictures of one shape that one pass has painted.

    Attributes:
        contents: (N, 3, H, W), RGB in [0, 1].
        files: what the pictures are as files.
        seconds: that each has taken.
    """

    jobs: Sequence[Job]
    originals: Sequence[Image.Image | None]
    contents: Tensor
    files: Sequence[Future[_File]]
    slot: Slot
    seconds: float


def stylize_chunk(
    chunk: Chunk, store: AnyStore, leases: Leases, refresh: bool = False, trace: bool = False
) -> list[Record | None]:
    """Stylize the jobs of a chunk, and keep pictures and records as they are made.

    What another process has made of the same chunk, or this one before it was killed, is not made again. A row that
    fails is left, to be looked at by itself.

    Args:
        refresh: make all of them again.
        trace: also keep the loss curves of what is optimized.

    Returns:
        The records in the order of the jobs; nothing for those that are left.

    Raises:
        Stopped: the run was told to stop. What was done is kept.
        BadInput, OSError: the records cannot be written.
    """
    place = store.segment(chunk.name)
    with _locked(store.locks, chunk.name):
        known = records_of(place)
        done = {} if refresh else {one.key: one for one in known if store.has(one)}
        batches = [[job for job in batch if job.key not in done] for batch in chunk.batches]
        with Segment(place, known) as segment, _Line(store, leases, segment, done) as line:
            if chunk.painted_only:
                line.paint([batch for batch in batches if batch])
            else:
                line.optimize([job for batch in batches for job in batch], trace)
    return [done.get(job.key) for job in chunk.jobs]


@contextmanager
def _locked(locks: FileLocks, name: str) -> Iterator[None]:
    """Have the chunk to oneself; another process that is at it is waited for."""
    holder, stop = uuid.uuid4().hex, stopping.get()
    while not locks.acquire_lock(name, holder, acquire_timeout=1.0):
        if stop.is_set():
            raise Stopped
    try:
        yield
    finally:
        locks.release_lock(name, holder)


class _Line:
    """The line on which jobs are read, painted or optimized, judged and written, each step while others do theirs.

    The device is leased for what is computed only.
    """

    def __init__(self, store: AnyStore, leases: Leases, segment: Segment, done: dict[str, Record]) -> None:
        self._store, self._leases, self._segment, self._done = store, leases, segment, done
        self._readers, self._writers = ThreadPoolExecutor(READERS), ThreadPoolExecutor(WRITERS)
        self._writing: deque[tuple[Job, int, Future[Record]]] = deque()  # each with the pixels of its picture
        self._behind = 0  # pixels of all of these
        self._full = False
        self._watching, self._stop = watcher.get(), stopping.get()

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *error: object) -> None:
        for threads in (self._readers, self._writers):
            threads.shutdown(cancel_futures=True)

    def optimize(self, jobs: Sequence[Job], trace: bool) -> None:
        """Do all jobs in company, or those until the disk is full.

        Raises:
            Stopped: the run was told to stop.
        """
        contents = self._read_ahead(jobs)
        if first := next(contents, None):  # it is read while another has the slot
            with self._leases.lease() as slot, closing(make_together(first, contents, slot, trace)) as ending:
                for ended in ending:
                    if isinstance(ended.found, Finished):
                        self._write(ended.name, replace(ended.found, seconds=ended.seconds))
                    self._collect(BEHIND)
                    if self._full or self._stop.is_set():
                        break
        self._collect(0)
        if self._stop.is_set():
            raise Stopped

    def _read_ahead(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Image.Image]]:
        waiting, coming = deque(jobs), deque[tuple[Job, Future[Image.Image]]]()
        while waiting or coming:
            while waiting and len(coming) <= AHEAD:
                job = waiting.popleft()
                coming.append((job, self._readers.submit(load_picture, job.content, job.content_sha256)))
            job, reading = coming.popleft()
            try:
                content = reading.result()
            except Exception:  # told when the row is looked at by itself
                continue
            yield job, content

    def paint(self, batches: Sequence[Sequence[Job]]) -> None:
        """Do all batches, or those until the disk is full.

        Raises:
            Stopped: the run was told to stop.
        """
        waiting, coming = deque(batches), deque[list[tuple[Job, Future[_Read]]]]()
        painted: list[_Painted] = []
        while (waiting or coming or painted) and not self._stop.is_set() and not self._full:
            while waiting and len(coming) <= AHEAD:
                coming.append(self._begin_to_read(waiting.popleft()))
            next_painted = list(self._paint(coming.popleft())) if coming else []
            for one in painted:  # its files were encoded meanwhile
                self._judge_and_write(one)
            painted = next_painted
            self._collect(BEHIND)
        self._collect(0)
        if self._stop.is_set():
            raise Stopped

    def _begin_to_read(self, batch: Sequence[Job]) -> list[tuple[Job, Future[_Read]]]:
        contents: dict[tuple[object, bool], Future[_Read]] = {}
        for job in batch:
            asked = job.content, is_judged(job)
            if asked not in contents:
                contents[asked] = self._readers.submit(_read, job)
        return [(job, contents[job.content, is_judged(job)]) for job in batch]

    def _paint(self, batch: Sequence[tuple[Job, Future[_Read]]]) -> Iterator[_Painted]:
        together: dict[tuple[int, ...], list[tuple[Job, _Read]]] = defaultdict(list)
        for job, reading in batch:
            try:
                read = reading.result()
            except Exception:  # told when the row is looked at by itself
                continue
            together[read.pixels.shape].append((job, read))
        for group in together.values():
            jobs, reads = [job for job, _ in group], [read for _, read in group]
            try:
                with self._leases.lease() as slot:
                    began = time.perf_counter()
                    pixels = torch.from_numpy(np.stack([read.pixels for read in reads]))  # (N, H, W, 3)
                    contents = pixels.to(slot.device).permute(0, 3, 1, 2).float() / 255
                    pictures = _in_8_bits(jobs, contents, paint(jobs, contents, slot, frugal=False))
                    seconds = (time.perf_counter() - began) / len(jobs)
            except Exception:  # each of them by itself may fit, or is told what is wrong
                continue
            files = [
                self._writers.submit(as_written, job, Image.fromarray(picture))
                for job, picture in zip(jobs, pictures, strict=True)
            ]
            yield _Painted(jobs, [read.original for read in reads], contents, files, slot, seconds)

    def _judge_and_write(self, painted: _Painted) -> None:
        written: dict[int, _File] = {}
        for n, encoding in enumerate(painted.files):
            with suppress(Exception):  # told when the row is looked at by itself
                written[n] = encoding.result()
        judged = [n for n in written if is_judged(painted.jobs[n])]
        verdicts: dict[int, Verdict] = {}
        each = 0.0
        if judged:
            with suppress(Exception), self._leases.lease() as slot:  # as above
                began = time.perf_counter()
                verdicts.update(zip(judged, _judge(painted, judged, written, slot), strict=True))
                each = (time.perf_counter() - began) / len(judged)
        for n, (picture, file) in written.items():
            if n in judged and n not in verdicts:
                continue
            losses, figures = verdicts.get(n, (None, None))
            seconds = painted.seconds + (each if n in verdicts else 0.0)
            self._write(painted.jobs[n], Finished(picture, file, losses, figures, painted.slot, seconds))

    def _write(self, job: Job, finished: Finished) -> None:
        pixels = finished.picture.width * finished.picture.height
        self._behind += pixels
        self._writing.append((job, pixels, self._writers.submit(keep, job, finished, self._store)))

    def _collect(self, most: int) -> None:
        """Keep the records of the pictures that are written; wait until at most so many pixels are still to be."""
        records = []
        while self._writing and (self._behind > most or self._writing[0][2].done()):
            job, pixels, writing = self._writing.popleft()
            self._behind -= pixels
            try:
                records.append((job, writing.result()))
            except Exception as error:  # told when the row is looked at by itself
                self._full = self._full or is_out_of_space(error)
        self._segment.append([record for _, record in records])
        for job, record in records:
            self._done[job.key] = record
            if not job.steps:  # no other step is told of
                self._watching.stepped(job)


def _read(job: Job) -> _Read:
    decoded = load_picture(job.content, job.content_sha256)
    pixels = np.array(resize(decoded, job.settings.longer_side(decoded.size)))
    return _Read(decoded if is_judged(job) else None, pixels)


@torch.no_grad()
def _in_8_bits(jobs: Sequence[Job], contents: Tensor, painted: Tensor) -> np.ndarray:
    """What is painted, (N, 3, H, W) in [0, 1], as (N, H, W, 3)."""
    toned = [
        with_colors_of(content, picture) if job.settings.preserve_color == "luminance" else picture
        for job, content, picture in zip(jobs, torch.split(contents, 1), torch.split(painted, 1), strict=True)
    ]
    rounded = (torch.cat(toned) * 255).round().byte()
    pixels: np.ndarray = rounded.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels


def _judge(painted: _Painted, judged: Sequence[int], written: Mapping[int, _File], slot: Slot) -> list[Verdict]:
    originals = [original for n in judged if (original := painted.originals[n])]
    contents = painted.contents[list(judged)].to(slot.device)  # another slot may have painted them
    pictures = [written[n][0] for n in judged]
    return judge_together([painted.jobs[n] for n in judged], originals, contents, pictures, slot)
