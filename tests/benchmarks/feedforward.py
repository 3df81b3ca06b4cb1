"""What a trained network's pictures are worth: against steps of the optimizer, alone and refined, and in seconds.

``python -m tests.benchmarks.feedforward NETWORK STYLE PICTURE…``. Use pictures that the network was not trained with.
Every loss is that of the 8-bit picture, in float32, at the size that the network was trained for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, geometric_mean, median

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.networks.models import read_model, read_trained
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import FORMS
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.losses import Losses, Objective, content_targets, style_targets
from stylebatch.tasks.nst.optimize import optimize
from stylebatch.tasks.nst.precision import DTYPES, fastest_precision
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.stylizing.objective import to_picture, to_tensor, weights_of

COMPARED = (5, 10, 20, 60)  # steps of the optimizer from the content
REFINED = (10, 30)  # and from the network's picture
SIDES = (256, 512, 1024)
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    given = parser.parse_args()
    trained = read_trained(given.network)
    if trained.style_sha256 != sha256_of(given.style):
        parser.error(f"{given.network} was trained for {trained.style}, and not for {given.style}")
    compare(given.network, given.style, [load_picture(file) for file in given.pictures])


def compare(network_file: Path, style: Path, pictures: Sequence[Image.Image]) -> None:
    """Print the tables of ``tests/benchmarks/README.md``."""
    trained, network, precision = read_trained(network_file), read_model(network_file), fastest_precision("cpu")
    settings, dtype = trained.settings, DTYPES[precision]
    make, judge = (objectives(settings, style, name) for name in (precision, "float32"))
    alone: list[float] = []
    content: list[float] = []
    optimized: dict[int, list[float]] = {steps: [] for steps in COMPARED}
    content_optimized: list[float] = []
    refined: dict[int, list[float]] = {steps: [] for steps in REFINED}
    step_times: list[float] = []
    for picture in pictures:
        x = to_tensor(resize(picture, settings.size), "cpu")
        objective, judged = make(x), judge(x)
        with torch.no_grad():
            painted = network(x, dtype)
        losses = written(judged, painted)
        alone.append(losses.total.item())
        content.append(losses.content.item())
        for steps in COMPARED:
            began = time.perf_counter()
            result = optimize(objective, x, LBFGS(settings.history), steps)
            step_times.append((time.perf_counter() - began) / steps)
            losses = written(judged, result.picture)
            optimized[steps].append(losses.total.item())
            if steps == 20:
                content_optimized.append(losses.content.item())
        for steps in REFINED:
            result = optimize(objective, painted, LBFGS(settings.history), steps)
            refined[steps].append(written(judged, result.picture).total.item())
        print(f"{picture.size}: network {alone[-1]:,.0f}, after 20 steps {optimized[20][-1]:,.0f}", flush=True)
    print(f"\n{precision}; {len(pictures)} pictures at {settings.size} px")
    print("| picture | mean loss | geometric mean | content loss |\n|---|---|---|---|")
    row("network alone", alone, content)
    for steps in COMPARED:
        row(f"optimizer, {steps} steps", optimized[steps], content_optimized if steps == 20 else [])
    for steps in REFINED:
        row(f"network, then {steps} steps", refined[steps], [])
    a_step = median(step_times)
    print(f"\none step of the optimizer: {a_step:.3f} s; training: {trained.steps} steps, {trained.seconds:.0f} s")
    for side in SIDES:
        seconds = pass_time(network, resize(pictures[0], side), dtype)
        print(f"one pass at {side} px: {seconds:.3f} s")
        if side == settings.size:
            pays = trained.seconds / (20 * a_step - seconds)
            print(f"against 20 steps for each picture, training pays from {pays:.0f} pictures on")


def row(name: str, losses: Sequence[float], content: Sequence[float]) -> None:
    told = f"{fmean(content):,.0f}" if content else ""
    print(f"| {name} | {fmean(losses):,.0f} | {geometric_mean(losses):,.0f} | {told} |", flush=True)


def objectives(settings: Settings, style: Path, precision: str) -> Callable[[Tensor], Objective]:
    """Makes the objective of a content picture (1, 3, H, W)."""
    weights = weights_of(settings)
    encoder = Encoder(weights.layers, DTYPES[precision], settings.pooling, network=settings.network)
    picture = to_tensor(resize(load_picture(style), settings.size * settings.style_scale), "cpu")
    targets = style_targets(encoder, picture, settings.style_layers)
    form = FORMS[settings.objective]
    return lambda x: Objective(
        encoder, weights, content_targets(encoder, x, settings.content_layers, form), targets, form
    )


def written(objective: Objective, picture: Tensor) -> Losses:
    """The losses of a picture as it would be written."""
    with torch.no_grad():
        return objective(to_tensor(to_picture(picture), "cpu"))


def pass_time(network: Callable[..., Tensor], picture: Image.Image, dtype: torch.dtype) -> float:
    """Seconds of one pass, the median of some."""
    x = to_tensor(picture, "cpu")
    times = []
    with torch.no_grad():
        for _ in range(REPEATS + 1):
            began = time.perf_counter()
            network(x, dtype)
            times.append(time.perf_counter() - began)
    return median(times[1:])


if __name__ == "__main__":
    main()
