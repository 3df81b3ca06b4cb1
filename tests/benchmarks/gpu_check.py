"""What a GPU does with the optimizer and with one pass: `make gpu-check`, in under four minutes.

It runs the tests that need a GPU, and prints a table of steps a second for pictures of several sizes, alone and in
company, as shares of the rate of a matrix product on the same device, with the peak of the memory against what was
predicted; how many pictures a second are painted in one pass, from file to file; and what becomes of pairs in company
when the memory runs out. Without a GPU it says so, and that is no failure.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.memory import is_out_of_memory
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst.company import in_company
from stylebatch.tasks.nst.memory import content_memory, peak_memory, stages_of
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.plan.batches import in_batches, most_in_company
from stylebatch.tasks.plan.chunks import Chunk
from stylebatch.tasks.plan.jobs import check_decoding, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.stylizing.chunk import stylize_chunk
from stylebatch.tasks.stylizing.objective import encoder_of
from stylebatch.tasks.stylizing.stylize import Finished, make
from tests.benchmarks.searches import SAMPLES, Company, jobs_of, product_rate

SIZES, COUNTS = (256, 512, 1024), (1, 2, 4, 8, 16, 32)
WARM, STEPS = 55, 10  # steps; after the first ones kernels are chosen, and L-BFGS remembers as much as it ever does
# Whose tests need nothing but what computes.
ROOMS = ("tests/tasks/devices", "tests/tasks/nst", "tests/test_train_any_style.py")
TESTS, TIME = 90.0, 180.0  # seconds: for the tests; and from the start on, until no other row is begun
PAINTED = 400  # pictures
SHORT = 0.6  # of the memory that a company needs: what it is left with when that is to run out


@dataclass(frozen=True)
class Measured:
    """A size and a number of pairs: seconds a step, its share of a matrix product's rate, peak over prediction."""

    size: int
    count: int
    seconds: float
    share: float
    peak: float
    predicted: float


def measure(size: int, count: int, device: str, side: int = 8192) -> Measured:
    """Time steps of ``count`` pairs in company.

    Args:
        side: of the matrices whose product the rate is compared with.

    Raises:
        torch.OutOfMemoryError: they do not fit.
    """
    jobs = jobs_of(size, count, device)
    settings = jobs[0].settings
    cuda = torch.device(device).type == "cuda"
    encoder = encoder_of(jobs[0], settings.precision, device)
    before = 0
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
    with closing(Company(jobs, device)) as company:
        seconds = sorted([company.step() for _ in range(WARM + STEPS)][WARM:])[STEPS // 2]
        peak = torch.cuda.max_memory_allocated(device) - before if cuda else 0
        rate = company.operations() * count / seconds
    stages = stages_of(encoder)
    content = content_memory(stages, settings.content_layers)
    predicted = count * peak_memory(stages, company.pixels, settings.history, 0, content)
    return Measured(
        size, count, seconds, rate / product_rate(device, DTYPES[settings.precision], side), peak, predicted
    )


def steps_table(device: str, until: float) -> Table:
    """Rates and memory, as far as there is time and room."""
    table = Table("size", "pairs", "ms a step", "pairs' steps a second", "of a product", "peak", "of predicted")
    for size in SIZES:
        for count in COUNTS:
            if time.monotonic() > until:
                table.add_row(str(size), str(count), "no time left")
                continue
            try:
                one = measure(size, count, device)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                table.add_row(str(size), str(count), "does not fit")
                continue
            chosen = " (chosen)" if count == most_in_company("cuda", "bfloat16", size * size * 3 // 4) else ""
            table.add_row(
                str(size),
                f"{count}{chosen}",
                f"{1e3 * one.seconds:.1f}",
                f"{count / one.seconds:.0f}",
                f"{one.share:.0%}",
                f"{one.peak / 1e9:.2f} GB",
                f"{one.peak / one.predicted:.0%}",
            )
    return table


def paint_many(device: str, count: int, size: int = 256) -> float:
    """Pictures a second that one pass paints, read from files and written to files; the first batch does not count."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Image.open(SAMPLES / "images/chelsea.jpg") as cat:
            for number in range(count):
                cat.resize((size, 2 * size // 3), box=(number % 40, 0, 400, 300)).save(folder / f"{number}.jpg")
        style, settings = str(SAMPLES / "styles/swirls.jpg"), {"size": size, "engine": "feedforward", "judge": 0.0}
        rows = [{"content": f"{number}.jpg", "style": style, **settings} for number in range(count)]
        manifest = Manifest(folder / "many.csv", rows)
        pairs, bad_rows = check_rows(manifest, {})
        assert not bad_rows
        jobs, _ = make_jobs(manifest, pairs, Slot(device))
        first, *others = in_batches(jobs, check_decoding(jobs)[2])
        store, leases = Store(folder / "out"), Pool([Slot(device)])
        store.create()
        stylize_chunk(Chunk([first]), store, leases)
        began = time.perf_counter()
        records = stylize_chunk(Chunk(others), store, leases)
        assert all(records)
        return len(records) / (time.perf_counter() - began)


def recover(device: str, count: int, size: int) -> int:
    """Let pairs in company have less memory than they take; how many of them come to their end."""
    jobs = jobs_of(size, count, device, steps=STEPS)
    needed = measure(size, count, device).peak + torch.cuda.memory_allocated(device)
    fraction = SHORT * needed / torch.cuda.get_device_properties(device).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(fraction, device)
    try:
        coming = ((job, make(job, load_picture(job.content), Slot(device), False, False)) for job in jobs)
        ended = [one.found for one in in_company(coming, count)]
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    return sum(isinstance(one, Finished) for one in ended)


def run_tests() -> bool:
    """Run the tests that need a GPU; whether they passed, and in time."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", *ROOMS]
    try:
        return subprocess.run(command, check=False, timeout=TESTS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main() -> None:
    console = Console()
    if not torch.cuda.is_available():
        console.print("There is no CUDA device here, so that nothing was checked.")
        return
    began, device = time.monotonic(), "cuda:0"
    console.print(f"{torch.cuda.get_device_name(device)}, PyTorch {torch.__version__}, {sys.version.split()[0]}")
    passed = run_tests()
    precision = jobs_of(64, 1, device)[0].settings.precision
    rate = product_rate(device, DTYPES[precision], 8192)
    console.print(f"matrix product, {precision}: {rate / 1e12:.0f} TFLOP/s")
    console.print(steps_table(device, began + TIME))
    console.print(f"one pass at 256 px, from file to file: {paint_many(device, PAINTED):.0f} pictures a second")
    done = recover(device, count=8, size=512)
    console.print(f"8 pairs of 512 px with {SHORT:.0%} of the memory that they take: {done} came to their end")
    console.print(f"{time.monotonic() - began:.0f} s in all")
    if not passed or done < 8:
        sys.exit(1)


if __name__ == "__main__":
    main()
