"""A data set painted in one pass: where the time goes, held against the bare network. `make bench-dataset`.

Photographs are cut out of the samples, each is painted in one of the samples' styles, and a share of them is judged.
The rate of the whole is held against that of the bare network in a loop on tensors, in batches of the same pixels and
with as many threads. Seconds of the processor are told beside those of the clock: on a machine that is shared, the
latter tell what else went on. What rows cost beside the painting is `rows.py`'s to tell.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import torch
from PIL import Image

from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.plan.batches import PIXELS, in_batches
from stylebatch.tasks.plan.chunks import Chunk
from stylebatch.tasks.plan.jobs import Job, check_decoding
from stylebatch.tasks.results.segments import Segment
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.stylizing import chunk
from stylebatch.tasks.stylizing.feedforward import paint
from tests.benchmarks.rows import COMMAND, jobs_of

ROOT = Path(__file__).parent.parent.parent
# The functions that the stages of a chunk are, and what they are called here.
STAGES: Sequence[tuple[Any, str, str]] = (
    (chunk, "_read", "reading, decoding, resizing"),
    (chunk, "paint", "painting"),
    (chunk, "judge_together", "judging"),
    (chunk, "keep", "encoding, writing, reading back"),
    (Segment, "append", "keeping records"),
)
SIZES = (4, 3), (3, 4), (1, 1)


def write_photographs(folder: Path, number: int, size: int) -> None:
    """JPEG files with a longer side of ``size``: wide, tall and square ones in turn."""
    folder.mkdir(parents=True)
    samples = [Image.open(file).convert("RGB") for file in sorted((ROOT / "manifests/images").glob("*.jpg"))]
    generator = np.random.default_rng(0)
    for index in range(number):
        sample, sides = samples[index % len(samples)], SIZES[index % len(SIZES)]
        width, height = (size * side // max(sides) for side in sides)
        scale = generator.uniform(0.4, 1) * min(sample.width / width, sample.height / height)
        left = generator.uniform(0, sample.width - scale * width)
        top = generator.uniform(0, sample.height - scale * height)
        box = (left, top, left + scale * width, top + scale * height)
        sample.resize((width, height), Image.Resampling.BILINEAR, box).save(folder / f"{index:06}.jpg", quality=90)


def write_manifest(folder: Path, size: int, judge: float) -> Path:
    """A row for each photograph, with the samples' styles in turn."""
    styles = sorted((ROOT / "manifests/styles").glob("*.jpg"))
    photographs = sorted((folder / "photographs").iterdir())
    named = zip(photographs, styles * (len(photographs) // len(styles) + 1), strict=False)
    manifest = folder / "dataset.csv"
    rows = [f"photographs/{file.name},{style},{size},feedforward,{judge}" for file, style in named]
    manifest.write_text("\n".join(["content,style,size,engine,judge", *rows]))
    return manifest


def processor_seconds() -> float:
    """Of this process, with all of its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def bare(jobs: Sequence[Job], size: int, seconds: float) -> float:
    """Seconds of the processor that the bare network takes a picture, with batches of each shape in turn."""
    torch.set_num_threads(1)
    batches = []
    for sides in SIZES:
        width, height = (size * side // max(sides) for side in sides)
        count = min(len(jobs), max(1, PIXELS // (width * height)))
        batches.append((list(jobs[:count]), torch.rand(count, 3, height, width)))
    slot = Slot("cpu", 1)
    for together, contents in batches:
        paint(together, contents, slot, frugal=False)  # which looks at the styles
    began, spent = time.perf_counter(), 0.0
    rounds = 0
    while not rounds or time.perf_counter() - began < seconds:
        for together, contents in batches:
            processor = processor_seconds()
            paint(together, contents, slot, frugal=False)
            spent += (processor_seconds() - processor) / len(together) / len(batches)
        rounds += 1
    return spent / rounds


class Clock:
    """Seconds of the processor that each stage takes, by the threads that it is in."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which tells how long it takes."""

        def call(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                with self._lock:
                    self.seconds[stage] += time.thread_time() - began

        return call

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this, the stages of chunks are timed."""
        with ExitStack() as stack:
            for holder, name, stage in STAGES:
                stack.enter_context(mock.patch.object(holder, name, self.timed(stage, getattr(holder, name))))
            yield


def print_stages(jobs: Sequence[Job], out: Path) -> float:
    """Paint one chunk of all jobs, with one thread of torch's, and print what each stage takes.

    Returns:
        Seconds of the processor a picture.
    """
    store, clock = Store(out), Clock()
    store.create()
    whole = Chunk(in_batches(jobs, check_decoding(jobs)[2]))
    began, processor = time.perf_counter(), processor_seconds()
    with clock.watching():
        records = chunk.stylize_chunk(whole, store, Pool([Slot("cpu", 1)]))
    taken, spent = time.perf_counter() - began, processor_seconds() - processor
    assert all(records)
    print("| stage | ms of the processor a picture | share |\n|---|---|---|")
    for stage, seconds in [*clock.seconds.items(), ("the rest", spent - sum(clock.seconds.values()))]:
        print(f"| {stage} | {1e3 * seconds / len(jobs):.1f} | {seconds / spent:.1%} |")
    each = (1e3 * seconds / len(jobs) for seconds in (spent, taken))
    print("\none chunk of {}: {:.0f} ms of the processor a picture, {:.0f} ms by the clock\n".format(len(jobs), *each))
    return spent / len(jobs)


def run(manifest: Path, out: Path, *options: str) -> tuple[float, float, float]:
    """A run by the command: its seconds by the clock, of the processor, and a picture's from the first to the last."""
    began = time.perf_counter()
    process = subprocess.Popen([COMMAND, "run", manifest, "--out", out, "--quiet", "--no-grids", *options])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    whole = time.perf_counter() - began
    ends = pd.read_parquet(out / "report.parquet")["finished_at"].sort_values()
    return whole, usage.ru_utime + usage.ru_stime, (ends.iloc[-1] - ends.iloc[0]).total_seconds() / (len(ends) - 1)


def main() -> None:
    """Print the stages, the rates, and the files that a run leaves."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--judge", type=float, default=0.01)
    parser.add_argument("--seconds", type=float, default=30.0, help="for which the bare network is measured")
    parser.add_argument("--devices", nargs="*", default=["cpu", "2×cpu"], help="one run with each")
    asked = parser.parse_args()
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}"
    )
    with tempfile.TemporaryDirectory(prefix="stylebatch-dataset-") as name:
        folder = Path(name)
        write_photographs(folder / "photographs", asked.pictures, asked.size)
        manifest = write_manifest(folder, asked.size, asked.judge)
        jobs = jobs_of(manifest)
        print(f"{asked.pictures} photographs of {asked.size} px, judged: {asked.judge:.0%}\n")
        before = bare(jobs, asked.size, asked.seconds)
        spent = print_stages(jobs, folder / "chunk")
        network = (before + bare(jobs, asked.size, asked.seconds)) / 2
        print(f"the bare network, one thread: {1e3 * network:.0f} ms of the processor a picture; ", end="")
        print(f"so a chunk has {network / spent:.0%} of its rate\n")
        for devices in asked.devices:
            out = folder / f"out-{devices}"
            whole, processor, each = run(manifest, out, "--devices", devices)
            files = {os.stat(file).st_ino for file in out.rglob("*") if file.is_file()}
            print(f"--devices {devices}: {whole:.1f} s in all, {1 / each:.2f} pictures a second", end=", ")
            print(f"{1e3 * processor / len(jobs):.0f} ms of the processor a picture", end="; ")
            print(f"{len(files) / len(jobs):.3f} files a row", flush=True)


if __name__ == "__main__":
    main()
