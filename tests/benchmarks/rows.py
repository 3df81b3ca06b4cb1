"""What a run costs that is not stylizing, by the number of rows: `make bench-rows`.

For each number of rows that a network paints: the seconds and the peak memory of `stylebatch check`, of a run in which
everything is cached, and of one in which a few pairs are not. One pair is stylized for real; its record and its picture
are then laid under the keys of all others, as a run leaves them. The seconds are those of the whole command, with the
start of Python and of Prefect's temporary server.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import read_manifest
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.record_table import written
from stylebatch.tasks.results.store import Store

COMMAND = str(Path(sys.executable).parent / "stylebatch")
# Rows: contents and styles, whose product they are.
PRODUCTS = {1_000: (25, 40), 10_000: (100, 100), 100_000: (250, 400), 1_000_000: (1000, 1000)}
GROUP = 10_000  # records that are made at a time
SIDE = 32  # pixels of every picture
LEFT = 20  # pairs that the last of the three calls has to stylize


def make_manifest(folder: Path, contents: int, styles: int) -> Path:
    """Pictures of noise, each with bytes of its own, and the product of them."""
    generator = np.random.default_rng(0)
    for name, number in (("contents", contents), ("styles", styles)):
        (folder / name).mkdir(parents=True)
        for index in range(number):
            pixels = generator.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index:04}.png")
    manifest = folder / "rows.yaml"
    settings = f"{{size: {SIDE}, engine: feedforward, judge: 0, precision: float32}}"
    manifest.write_text(f"defaults: {settings}\ncontents: contents/*.png\nstyles: styles/*.png\n")
    return manifest


def jobs_of(manifest: Path) -> list[Job]:
    asked = read_manifest(manifest)
    pairs, bad_rows = check_rows(asked, {})
    assert not bad_rows
    jobs, _ = make_jobs(asked, pairs, Slot("cpu"))
    return jobs


def fill_store(folder: Path, out: Path, jobs: Sequence[Job]) -> None:
    """Stylize the first job, and leave its record and its picture for all of them."""
    first = jobs[0]
    single = folder / "single.csv"
    names = f"{first.content_name},{first.style_name},{SIDE},feedforward,0,float32"
    single.write_text(f"content,style,size,engine,judge,precision\n{names}\n")
    subprocess.run([COMMAND, "run", single, "--out", out, "--quiet"], check=True)
    store = Store(out)
    picture = store.picture(first.key, "png").read_bytes()
    record = store.find_all([first.key])[first.key]

    def left(some: Sequence[Job]) -> list[Record]:
        for job in some:
            if job.key != first.key:
                store.picture(job.key, "png").write_bytes(picture)
        return [
            record.model_copy(
                update={"key": job.key, "content_sha256": job.content_sha256, "style_sha256": job.style_sha256}
            )
            for job in some
        ]

    name, data = written(left(jobs[start : start + GROUP]) for start in range(0, len(jobs), GROUP))
    store.table(name).write_bytes(data)


def measure(*arguments: object) -> str:
    """Seconds and peak memory of a call of the command, as two cells of a table."""
    started = time.perf_counter()
    process = subprocess.Popen([COMMAND, *map(str, arguments)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"stylebatch {arguments[0]} ended with {status}"
    return f"{time.perf_counter() - started:.1f} s | {usage.ru_maxrss / 1024:.0f} MB"


def measure_rows(folder: Path, rows: int) -> None:
    """Print the table's line for so many rows."""
    manifest, out = make_manifest(folder, *PRODUCTS[rows]), folder / "out"
    jobs = jobs_of(manifest)
    checked = measure("check", manifest)
    fill_store(folder, out, jobs)
    run = ("run", manifest, "--out", out, "--quiet")
    first, again = measure(*run), measure(*run)
    for job in jobs[:: len(jobs) // LEFT]:
        Store(out).picture(job.key, "png").unlink()
    print(f"| {rows:,} | {checked} | {first} | {again} | {measure(*run)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", nargs="*", type=int, default=list(PRODUCTS), help="of 1000, 10000, 100000, 1000000")
    parser.add_argument("--folder", type=Path, help="where to work; left as it is at the end")
    arguments = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(f"| rows | check | | first run | | everything cached | | {LEFT} pairs left | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for rows in arguments.rows:
        folder = Path(tempfile.mkdtemp(prefix="stylebatch-rows-", dir=arguments.folder))
        try:
            measure_rows(folder, rows)
        finally:
            if not arguments.folder:
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
