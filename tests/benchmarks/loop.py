"""The optimizer's loop against another tool, in one run and in turn: `make bench`.

Both stylize the same pair at the same size with the same objective, and the pictures that both write are judged by the
same float32 code. Single times on a shared machine are worth little; the ratios hold.
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
from torch.utils.flop_counter import FlopCounterMode

from tasks.jobs import Job, make_jobs
from tasks.manifest import Manifest, check_rows
from tasks.nst.image import FourierImage
from tasks.nst.lbfgs import LBFGS
from tasks.nst.optimize import optimize
from tasks.nst.precision import DTYPES, matrix_product_rate
from tasks.pictures import load_picture, resize
from tasks.stylize import judge, make_objective, start_picture, to_picture, to_tensor

SAMPLES = Path(__file__).parents[2] / "manifests"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("content", nargs="?", type=Path, default=SAMPLES / "images/coffee.jpg")
    parser.add_argument("style", nargs="?", type=Path, default=SAMPLES / "styles/swirls.jpg")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=100, help="our steps")
    parser.add_argument(
        "--other", type=int, nargs="*", default=[100, 200], help="steps of the other tool; none: skip it"
    )
    parser.add_argument("--precision", default="auto", choices=["auto", *DTYPES])
    parser.add_argument("--only-ours", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def make_job(arguments: argparse.Namespace) -> Job:
    row = {
        "content": str(arguments.content.absolute()),
        "style": str(arguments.style.absolute()),
        "size": arguments.size,
        "steps": arguments.steps,
        "precision": arguments.precision,
    }
    manifest = Manifest(Path("bench.yaml"), [row])
    pairs, bad_rows = check_rows(manifest, {})
    if bad_rows:
        sys.exit(bad_rows[0].message)
    (job,), _ = make_jobs(manifest, pairs, "cpu")
    return job


def sample_products(dtype: torch.dtype) -> list[float]:
    """Rates of single matrix products: taken before and after the loop, since the machine's own rate drifts."""
    return [matrix_product_rate(dtype, size=2048, repeats=1) for _ in range(7)]


def measure_ours(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the loop once; losses of the written picture are judged outside the time that is measured."""
    job = make_job(arguments)
    content = to_tensor(resize(load_picture(job.content), arguments.size), "cpu")
    objective = make_objective(job, content, job.settings.precision, "cpu")
    image = FourierImage(content)
    with FlopCounterMode(display=False) as counter:
        variables = image.coefficients.clone().requires_grad_()
        torch.autograd.grad(objective(image.decode(variables)).total, variables)
    dtype = DTYPES[job.settings.precision]
    products = sample_products(dtype)
    times: list[float] = []
    optimized = optimize(
        objective,
        start_picture(job, content),
        LBFGS(job.settings.history),
        arguments.steps,
        on_step=lambda step, loss: times.append(time.perf_counter()),
    )
    # Before anything else takes memory: the loop's own peak.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    median = statistics.median(later - earlier for earlier, later in pairwise(times))
    return {
        "precision": job.settings.precision,
        "size": list(content.shape[:1:-1]),
        "seconds": times[-1] - times[0] + median,
        "seconds_a_step": median,
        "flops_a_step": counter.get_total_flops(),
        "rate": counter.get_total_flops() / median,
        "matrix_product_rate": statistics.median(products + sample_products(dtype)),
        "peak_mb": peak,
        "loss": judge(job, content, to_picture(optimized.picture), "cpu").total.item(),
    }


def run_ours(arguments: argparse.Namespace) -> dict[str, Any]:
    """`measure_ours` in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "tests.benchmarks.loop", str(arguments.content), str(arguments.style)]
    command += ["--size", str(arguments.size), "--steps", str(arguments.steps), "--precision", arguments.precision]
    output = subprocess.run([*command, "--only-ours"], check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def run_other(arguments: argparse.Namespace, steps: int, folder: Path) -> dict[str, Any]:
    """`pastiche`, as its users call it, on the pictures as both tools would resize them."""
    output = folder / f"other-{steps}.png"
    job = make_job(arguments)
    command = [str(Path(sys.executable).parent / "pastiche"), "--size", str(arguments.size)]
    command += ["--style-size", str(arguments.size), "--num-steps", str(steps), "--no-verbose"]
    command += ["--content", str(arguments.content), "--styles", str(arguments.style), "--output", str(output)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = _wait(process)
    assert status == 0, f"pastiche ended with {status}"
    content = to_tensor(resize(load_picture(job.content), arguments.size), "cpu")
    return {
        "seconds": time.perf_counter() - started,
        "peak_mb": usage.ru_maxrss / 1024,
        "loss": judge(job, content, load_picture(output), "cpu").total.item(),
    }


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, int, resource.struct_rusage]:
    return os.wait4(process.pid, 0)


def main() -> None:
    arguments = parse_arguments()
    if arguments.only_ours:
        print(json.dumps(measure_ours(arguments)))
        return
    ours = run_ours(arguments)
    width, height = ours["size"]
    share = ours["rate"] / ours["matrix_product_rate"]
    print(f"{arguments.content.name} x {arguments.style.name}, {width}x{height}, {ours['precision']}")
    print(f"one step: {ours['seconds_a_step']:.3f} s, {1 / ours['seconds_a_step']:.2f} steps a second")
    print(
        f"{ours['rate'] / 1e9:.0f} GFLOP/s, {share:.0%} of the machine's matrix product in this format "
        f"({ours['matrix_product_rate'] / 1e9:.0f} GFLOP/s)"
    )
    print(f"{'':24}{'seconds':>9}{'peak MB':>9}{'loss of the written picture':>30}")
    print(f"{f'stylebatch {arguments.steps}':24}{ours['seconds']:9.1f}{ours['peak_mb']:9.0f}{ours['loss']:30,.0f}")
    with tempfile.TemporaryDirectory() as folder:
        for steps in arguments.other:
            other = run_other(arguments, steps, Path(folder))
            print(f"{f'pastiche {steps}':24}{other['seconds']:9.1f}{other['peak_mb']:9.0f}{other['loss']:30,.0f}")


if __name__ == "__main__":
    main()
