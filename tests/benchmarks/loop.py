"""The optimizer's loop against another tool, in one run and in turn: `make bench`.

Both stylize the same pair at the same size with the same objective, and the pictures that both write are judged by the
same float32 code. Single times on a shared machine are worth little; the ratios hold. Times are those of the loops,
without the start of either program.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst.evaluation import evaluate
from stylebatch.tasks.nst.image import FourierImage
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.optimize import Optimized, Search, search
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.stylizing.objective import make_objective, to_picture, to_tensor
from stylebatch.tasks.stylizing.stylize import start_picture

SAMPLES = Path(__file__).parents[2] / "manifests"
EVERY = 5  # steps between two looks at our picture
Curve = list[tuple[int, float, float]]  # steps, seconds, loss of the written picture
SAMPLE = 2048  # rows and columns of the matrices whose product the loop's rate is compared with


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("content", nargs="?", type=Path, default=SAMPLES / "images/coffee.jpg")
    parser.add_argument("style", nargs="?", type=Path, default=SAMPLES / "styles/swirls.jpg")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=100, help="our steps")
    parser.add_argument("--other", type=int, default=300, help="steps of the other tool, in hundreds; 0 leaves it out")
    parser.add_argument("--precision", default="auto", choices=["auto", *DTYPES])
    parser.add_argument("--plot", type=Path, help="where to draw loss over seconds, as SVG or PNG")
    parser.add_argument("--only-ours", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def make_job(arguments: argparse.Namespace) -> Job:
    row = {
        "content": str(arguments.content.absolute()),
        "style": str(arguments.style.absolute()),
        "objective": "classic",  # the other tool's
        "size": arguments.size,
        "steps": arguments.steps,
        "precision": arguments.precision,
    }
    manifest = Manifest(Path("bench.yaml"), [row])
    pairs, bad_rows = check_rows(manifest, {})
    if bad_rows:
        sys.exit(bad_rows[0].message)
    (job,), _ = make_jobs(manifest, pairs, Slot("cpu"))
    return job


def load_content(job: Job) -> torch.Tensor:
    picture = load_picture(job.content)
    return to_tensor(resize(picture, job.settings.longer_side(picture.size)), "cpu")


def loss_of(job: Job, content: torch.Tensor, picture: Image.Image) -> float:
    """The loss of a picture that was written, in float32."""
    with torch.no_grad():
        return make_objective(job, [content], "float32", "cpu")(to_tensor(picture, "cpu")).total.item()


def sample_products(dtype: torch.dtype) -> list[float]:
    """Rates of single matrix products: taken before and after the loop, since the machine's own rate drifts."""
    a, b = (torch.ones(SAMPLE, SAMPLE, dtype=dtype) for _ in range(2))
    a @ b  # the first call builds the kernel
    rates = []
    for _ in range(7):
        began = time.perf_counter()
        a @ b
        rates.append(2 * SAMPLE**3 / (time.perf_counter() - began))
    return rates


class Recorder:
    """Carries a search out, and keeps the best picture so far as it would be written."""

    def __init__(self) -> None:
        self.moments: list[float] = [time.perf_counter()]
        self.pictures: dict[int, Image.Image] = {}

    def carry_out(self, searching: Search[Optimized]) -> None:
        best, lowest = torch.empty(0), float("inf")
        asked, going_on = next(searching), True
        while going_on:
            (seen,) = evaluate([asked])
            if seen.loss < lowest:
                best, lowest = seen.picture, seen.loss
            try:
                asked = searching.send(seen)
            except StopIteration:
                going_on = False
            step = len(self.moments)
            self.moments.append(time.perf_counter())
            if step % EVERY == 0:
                self.pictures[step] = to_picture(best)


def measure_ours(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the loop once; the pictures on its way are judged when it is over."""
    job = make_job(arguments)
    dtype = DTYPES[job.settings.precision]
    content = load_content(job)
    objective = make_objective(job, [content], job.settings.precision, "cpu")
    image = FourierImage(content)
    with FlopCounterMode(display=False) as counter:
        variables = image.coefficients.clone().requires_grad_()
        torch.autograd.grad(objective(image.decode(variables)).total, variables)
    products = sample_products(dtype)
    start = start_picture(job, content, Slot("cpu"), frugal=False)
    recorder = Recorder()
    recorder.carry_out(search(objective, start, LBFGS(job.settings.history), arguments.steps))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before judging takes memory of its own
    median = statistics.median(later - earlier for earlier, later in pairwise(recorder.moments))
    moments = recorder.moments
    return {
        "precision": job.settings.precision,
        "size": list(content.shape[:1:-1]),
        "seconds_a_step": median,
        "rate": counter.get_total_flops() / median,
        "matrix_product_rate": statistics.median(products + sample_products(dtype)),
        "peak_mb": peak,
        "curve": [
            (step, moments[step] - moments[0], loss_of(job, content, picture))
            for step, picture in recorder.pictures.items()
        ],
    }


def run_ours(arguments: argparse.Namespace) -> dict[str, Any]:
    """`measure_ours` in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "tests.benchmarks.loop", str(arguments.content), str(arguments.style)]
    command += ["--size", str(arguments.size), "--steps", str(arguments.steps), "--precision", arguments.precision]
    output = subprocess.run([*command, "--only-ours"], check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def run_other(arguments: argparse.Namespace) -> dict[str, Any]:
    """`pastiche` as its users call it; the pictures that it writes on its way tell the time."""
    job = make_job(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [str(Path(sys.executable).parent / "pastiche"), "--no-verbose"]
        command += ["--size", str(arguments.size), "--style-size", str(arguments.size)]
        command += ["--num-steps", str(arguments.other), "--workspace", name, "--workspace-step", str(EVERY * 10)]
        command += ["--content", str(arguments.content), "--styles", str(arguments.style)]
        process = subprocess.Popen([*command, "--output", str(folder / "end.png")])
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, f"pastiche ended with {status}"
        written = {int(file.stem): file for file in folder.glob("*.png") if file.stem.isdigit()}
        began = written.pop(0).stat().st_mtime
        content = load_content(job)
        return {
            "peak_mb": usage.ru_maxrss / 1024,
            "curve": [
                (step, file.stat().st_mtime - began, loss_of(job, content, load_picture(file)))
                for step, file in sorted(written.items())
            ],
        }


def print_comparison(ours: dict[str, Any], other: dict[str, Any]) -> None:
    """For each hundred of the other tool's steps: when our picture was as good."""
    print(f"peak memory: stylebatch {ours['peak_mb']:.0f} MB, pastiche {other['peak_mb']:.0f} MB\n")
    print("| pastiche: steps | seconds | loss | stylebatch: steps | seconds | loss | times as fast |")
    print("|---|---|---|---|---|---|---|")
    for step, seconds, loss in other["curve"]:
        if step % 100:
            continue
        reached = next((point for point in ours["curve"] if point[2] <= loss), None)
        if reached is None:
            print(f"| {step} | {seconds:.1f} | {loss:,.0f} | not within {ours['curve'][-1][0]} steps | | | |")
            continue
        mine = f"{reached[0]} | {reached[1]:.1f} | {reached[2]:,.0f} | {seconds / reached[1]:.1f}"
        print(f"| {step} | {seconds:.1f} | {loss:,.0f} | {mine} |")


def plot(path: Path, title: str, ours: Curve, other: Curve) -> None:
    """Loss of the written picture over the seconds of the loop, both tools."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, curve in (("stylebatch", ours), ("pastiche", other)):
        axes.plot([point[1] for point in curve], [point[2] for point in curve], marker=".", label=name)
    axes.set(xlabel="seconds", ylabel="loss of the written picture", title=title, yscale="log")
    axes.grid(which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=130)


def main() -> None:
    arguments = parse_arguments()
    if arguments.only_ours:
        print(json.dumps(measure_ours(arguments)))
        return
    ours = run_ours(arguments)
    width, height = ours["size"]
    title = f"{arguments.content.stem} x {arguments.style.stem}, {width}x{height}, {ours['precision']}"
    step, seconds, loss = ours["curve"][-1]
    print(title)
    print(f"one step: {ours['seconds_a_step']:.3f} s, {1 / ours['seconds_a_step']:.2f} steps a second")
    print(f"{ours['rate'] / 1e9:.0f} GFLOP/s: {ours['rate'] / ours['matrix_product_rate']:.0%} of a matrix product's")
    print(f"{step} steps: {seconds:.1f} s, loss of the written picture {loss:,.0f}")
    if arguments.other:
        other = run_other(arguments)
        print_comparison(ours, other)
        if arguments.plot:
            plot(arguments.plot, title, ours["curve"], other["curve"])
    else:
        print(f"peak memory: {ours['peak_mb']:.0f} MB")


if __name__ == "__main__":
    main()
