"""Train the network that comes along, for any style, on a GPU.

`stylebatch train --styles` learns from four samples a step, each by itself, as it is best on a
processor, and with the same outcome whatever the number of cores.  A GPU would be idle most of that
time.  Here a step has a batch of crops of one size, and each size is a CUDA graph: what was a day is
minutes.  Steps of several sizes follow one another by chance, so that strokes are learned at each.

    python manifests/models/train.py --contents 'photographs/*' --styles 'paintings/*' \\
        --out any.safetensors --seconds 600

Photographs and paintings are best 300 px and more on the shorter side.  Some of both are held out,
to judge the network at the end.  The file is one that `stylebatch run --set model=` takes.  On a
processor the same is done without graphs, and takes days.  A training goes by the clock: the same
command gives another network each time, though hardly a better or a worse one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic

import torch

from batched.criterion import BatchedCriterion
from batched.crops import WIDEST, Crops
from batched.graphs import Steps
from batched.held_out import judge_of, set_apart
from batched.learner import Learner
from batched.network import BatchedNetwork
from batched.optimizer import Optimizer
from batched.progress import Progress
from batched.samples import Samples
from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.networks.models import Trained, described, read_any_style, write_model
from stylebatch.tasks.nst.any_style import AnyStyleNetwork
from stylebatch.tasks.nst.condition import LOOKED_AT, MOMENTS
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.nst.training import MATRIX_RATE
from stylebatch.tasks.request.globs import expand
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.places import Place, join
from stylebatch.tasks.training.session import CONTENT, LEAST_DEVIATION, criterion_of

HERE = Path()
CROPS = {128: 0.25, 192: 0.3, 256: 0.3, 320: 0.15}  # share of the steps, by the side of their crops in pixels
PIXELS = 16 * 256**2  # of a step's contents, and of its styles, whatever the size of the crops
SIZE = 256  # longer side in pixels at which the held-out pictures are judged
MEASURED, AT_ONCE = 40, 16  # batches of styles, and how many each, by which a new network measures what it is told


def main(arguments: Sequence[str] | None = None) -> None:
    """Train a network as the command line asks, and write its file."""
    parser = argparse.ArgumentParser(description="Train a network for any style, on a GPU.")
    parser.add_argument("--contents", required=True, metavar="GLOB", help="photographs")
    parser.add_argument("--styles", required=True, metavar="GLOB", help="paintings, each a style of its own")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the network's file, NAME.safetensors")
    parser.add_argument("--seconds", required=True, type=_positive, help="that the training takes")
    parser.add_argument(
        "--content-weight", type=_positive, default=0.32, help="beside 1 of the style: less paints more boldly"
    )
    parser.add_argument("--start", type=Path, metavar="FILE", help="a network to start from, instead of a new one")
    parser.add_argument("--rate", type=_positive, default=MATRIX_RATE, help="of learning: less to refine a network")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    if not asked.out.parent.is_dir():
        parser.error(f"--out: there is no folder {asked.out.parent}")
    try:
        train(asked)
    except (BadInput, BadRequest) as error:
        parser.error(str(error))


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return number


def train(asked: argparse.Namespace) -> None:
    """Carry out a training.

    Raises:
        BadInput, BadRequest: a picture or the start cannot be read, there are too few pictures or too small ones, or
            the training has diverged.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(asked.seed)
    chance = Random(asked.seed)
    judged_contents, contents = set_apart(_files(asked.contents, "--contents"))
    judged_styles, styles = set_apart(_files(asked.styles, "--styles"))
    precision = "bfloat16" if device == "cuda" else "float32"
    settings = Settings(size=SIZE, precision=precision, seed=asked.seed, content_weight=asked.content_weight / CONTENT)
    criterion = criterion_of(settings)
    judge = judge_of(judged_contents, judged_styles, SIZE, criterion, DTYPES[precision], device)

    encoder = Encoder(LOOKED_AT, DTYPES[precision], device=device)
    samples = Samples(*(Crops(files, CROPS, device, chance) for files in (contents, styles)), encoder)
    network = _started(asked.start) if asked.start else _new(samples)
    network.to(device)
    optimizer = Optimizer(network, asked.rate)
    batched = BatchedCriterion(criterion.content, criterion.style, criterion.tv)
    learner = Learner(network, optimizer, samples, encoder, batched)
    steps = Steps(learner.step, samples.draw, {side: max(2, PIXELS // side**2) for side in CROPS}, device)
    with _in_haste():
        seconds = _take(steps, optimizer, Progress(learner, optimizer, steps), asked.seconds, chance)

    learned = AnyStyleNetwork(network.architecture).to(device)
    learned.load_state_dict(optimizer.average.state_dict())
    learned.half().float().eval()  # as it will be read
    judgement = judge.judge(learned)
    trained = Trained(
        architecture=described(learned),
        style="",
        style_sha256="",
        settings=settings,
        contents=len(contents),
        styles=len(styles),
        held_out=len(judge),
        steps=steps.steps,
        samples=steps.samples,
        seconds=seconds,
        structure=judgement.structure,
        style_distance=judgement.style_distance,
        smallest=min(CROPS),
        largest=int(WIDEST * max(CROPS)),
    )
    write_model(asked.out, learned, trained)
    print(f"{asked.out.name}: structure {judgement.structure:.3f}, style distance {judgement.style_distance:.3f}")


def _take(steps: Steps, optimizer: Optimizer, progress: Progress, seconds: float, chance: Random) -> float:
    """Take as many steps as there is time for; the seconds that they took."""
    began = monotonic()
    steps.capture(lambda: optimizer.set_pace(0.0))
    while (passed := monotonic() - began) < seconds:
        optimizer.set_pace(passed / seconds)
        steps.take(*chance.choices(list(CROPS), list(CROPS.values())))
        progress.tell(passed / seconds, passed)
    return passed


@contextmanager
def _in_haste() -> Iterator[None]:
    """Within this a GPU is quick rather than exact in float32; what is judged afterwards is judged exactly."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    matmul.allow_tf32 = cudnn.allow_tf32 = cudnn.benchmark = True
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before


def _files(glob: str, where: str) -> list[Place]:
    return list(map(partial(join, HERE), expand(HERE, glob, where)))


def _started(start: Path) -> BatchedNetwork:
    """The network of a file, as it is trained."""
    found = read_any_style(start)
    network = BatchedNetwork(found.architecture)
    network.load_state_dict(found.state_dict())
    return network


def _new(samples: Samples) -> BatchedNetwork:
    """A network that has learned nothing yet but what styles there are."""
    network = BatchedNetwork()
    told = torch.cat([samples.told(AT_ONCE, min(CROPS))[:, :MOMENTS] for _ in range(MEASURED)])
    network.told_mean.copy_(told.mean(0))
    network.told_std.copy_(told.std(0).clamp_min(LEAST_DEVIATION))
    return network


if __name__ == "__main__":
    main()
