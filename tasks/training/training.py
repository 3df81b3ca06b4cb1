"""Training a network for one style: pictures in, a file that stylizes out; a crash costs the last minutes alone."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from statistics import fmean

import numpy as np
import torch
from PIL import Image
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff
from torch import Tensor

from stylebatch.tasks.devices.memory import choose_recomputed
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.networks.models import Trained, described, read_model, write_model
from stylebatch.tasks.nst.layers import NETWORKS
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.losses import Losses, Objective, content_targets
from stylebatch.tasks.nst.optimize import optimize
from stylebatch.tasks.nst.precision import DTYPES, fastest_precision
from stylebatch.tasks.nst.training import ON_CONTENT, SPACIOUS, Trainer, sample
from stylebatch.tasks.nst.transform import Architecture, TransformNetwork
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.encode import write_png
from stylebatch.tasks.pictures.resize import resize, scaled_size
from stylebatch.tasks.progress import watcher
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.stylizing.objective import load_encoder, load_style, to_picture, to_tensor, weights_of
from stylebatch.tasks.stylizing.pair_task import retry_where_it_may_help
from stylebatch.tasks.training.checkpoint import Checkpoint

STEPS = 4000  # of a training, unless told otherwise
# The settings that a training goes by.
OBJECTIVE = {
    *("size", "style_scale", "content_weight", "style_weight", "tv_weight", "tv_power"),
    *("network", "content_layers", "style_layers", "pooling", "precision", "seed"),
}
VERSION = 1  # to be raised with every change that gives another network for the same request
MOST_BYTES = 500e6  # of the pictures that are kept in memory, 8-bit: some 1,400 at 256 px
MOST_HELD_OUT = 8
VALIDATIONS = 20  # in a whole training
PATIENCE = 6  # validations without a better one, after which the training ends
WORTH_STEPS, WORTH_PICTURES = 40, 3  # how far, and for how many pictures, the optimizer is followed for comparison
PREVIEW = 4  # pictures of a preview


@dataclass(frozen=True)
class Request:
    """What a training is asked for.

    Attributes:
        contents: pictures with their digests; some are held out.
        settings: of the objective: size, weights, layers, network and the like.
        weights: the file of the encoder's weights.
        steps: of the training, at most.
        start: the file of a network to start from, of whatever style.
    """

    style: Place
    style_sha256: str
    contents: Sequence[tuple[Place, str]]
    settings: Settings
    weights: Place
    weights_sha256: str
    steps: int
    start: Place | None = None
    start_sha256: str | None = None

    @cached_property
    def key(self) -> str:
        """The digest of what the network is for, 64 hexadecimal digits: the same whatever it is trained with."""
        return _digest(
            version=VERSION,
            style=self.style_sha256,
            settings=self.settings.model_dump(mode="json", include=OBJECTIVE),
            weights=self.weights_sha256,
        )

    @cached_property
    def digest(self) -> str:
        """Of all that decides the network, 64 hexadecimal digits."""
        contents = sorted(sha256 for _, sha256 in self.contents)
        return _digest(key=self.key, contents=contents, steps=self.steps, start=self.start_sha256)


def _digest(**decides: object) -> str:
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Point:
    """One validation: after which step and how many seconds, with the losses of training and of held-out pictures.

    ``loss`` is the geometric mean since the validation before; ``held_out`` the mean, of pictures as they are written.
    """

    step: int
    seconds: float
    loss: float
    held_out: float


def make_request(
    style: Place,
    style_sha256: str,
    contents: Sequence[tuple[Place, str]],
    settings: Settings,
    weights: tuple[Place, str],
    steps: int,
    device: str,
    start: tuple[Place, str] | None = None,
) -> Request:
    """A request with what ``auto`` stands for on this device in its place.

    Raises:
        BadRequest: there are too few contents, or the settings cannot be trained for.
    """
    different = {sha256: (path, sha256) for path, sha256 in contents}
    if len(different) < 2:
        raise BadRequest("a training needs two different content pictures at least, since one is held out; give more")
    if settings.preserve_color != "none":
        raise BadRequest("preserve_color: a network learns the style as it is; leave it to the pictures to be stylized")
    precision = fastest_precision(device) if settings.precision == "auto" else settings.precision
    resolved = settings.model_copy(update={"precision": precision})
    path, sha256 = start or (None, None)
    chosen = sorted(different.values(), key=lambda content: content[1])[
        : max(2, int(MOST_BYTES / (3 * (SPACIOUS * settings.size) ** 2)))
    ]
    return Request(style, style_sha256, chosen, resolved, *weights, steps, path, sha256)


def checkpoint_of(out: Place) -> Place:
    """Where the training of a network keeps what it has come to, until the network is written to ``out``."""
    return out.with_name(f"{out.name}.checkpoint")


@task(
    name="train",
    task_run_name="network for {request.style.name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_condition_fn=retry_where_it_may_help,
)
def train_network(request: Request, out: Place, slot: Slot) -> tuple[Trained, list[Point]]:
    """Train a network, or go on where an earlier process stopped, and write it to ``out``.

    Beside it, ``<stem>.preview.png``, held-out pictures as they come to look, and ``<name>.checkpoint`` are written as
    it goes on; the checkpoint is removed at the end.

    Returns:
        What the file says of the network, and the curve of its training.

    Raises:
        BadInput: a picture cannot be read, or a file was changed meanwhile.
    """
    session = _Session(request, slot)
    checkpoint = Checkpoint(checkpoint_of(out), request.digest)
    session.resume(checkpoint)
    watching = watcher.get()
    every = max(1, request.steps // VALIDATIONS)
    while session.step < request.steps and not session.stalled:
        session.take()
        held_out = session.curve[-1].held_out if session.curve else math.nan
        watching.training(session.step, request.steps, session.recent, held_out)
        if session.step % every == 0 or session.step == request.steps:
            session.validate()
            write_png(session.preview(), out.with_name(f"{out.stem}.preview.png"))
            session.save(checkpoint)
    trained = session.finish()
    write_model(out, session.network, trained)
    checkpoint.remove()
    return trained, session.curve


@dataclass(frozen=True)
class Rates:
    """Seconds on this machine: of a step of the optimizer, of one of a training, and of one pass of a network."""

    optimizer_step: float
    training_step: float
    painting: float


def measure_rates(request: Request, slot: Slot) -> Rates:
    """Try what a training and its alternative take, with two of the pictures and a network that is not trained yet.

    Raises:
        BadInput: a picture cannot be read, or a file was changed meanwhile.
    """
    session = _Session(replace(request, contents=request.contents[:2]), slot)
    return Rates(*(_best_time(step) for step in (session.optimize_once, session.take, session.paint_once)))


def _best_time(action: Callable[[], object]) -> float:
    """Seconds, at best: the first time also builds what later ones use."""
    times = []
    for _ in range(4):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times[1:])


class _Session:
    """One training in one process: its pictures, its network, and how the held-out pictures do."""

    def __init__(self, request: Request, slot: Slot) -> None:
        self._request, self._device, self._share = request, slot.device, slot.share
        self._dtype = DTYPES[request.settings.precision]
        count = len(request.contents)
        held_out = min(MOST_HELD_OUT, max(1, count // 8))
        size = request.settings.size
        # By their digests' order, which has nothing to do with what they show.
        self._held_out = [
            to_tensor(self._read(*content, size), self._device) for content in request.contents[:held_out]
        ]
        self._pictures = [
            torch.from_numpy(np.array(self._read(*content, SPACIOUS * size))).permute(2, 0, 1)
            for content in request.contents[held_out:]
        ]
        # Judged in float32, as everything that is reported.
        self._judging = [self._objective(picture, "float32", gradients=False) for picture in self._held_out]
        self._trainer = Trainer(self._new_network(), request.steps)
        self._best = float("inf"), self._trainer.state()
        self._since: list[float] = []  # logarithms of the losses since the last validation
        self._seconds, self._began = 0.0, time.perf_counter()
        self.curve: list[Point] = []

    def _read(self, place: Place, sha256: str, longer: float) -> Image.Image:
        """A content picture with this longer side, if at the size that is trained for it is not too narrow."""
        settings, picture = self._request.settings, load_picture(place, sha256)
        shortest = NETWORKS[settings.network].minimum_side([*settings.content_layers, *settings.style_layers])
        width, height = scaled_size(*picture.size, settings.size)
        if min(width, height) < shortest:
            raise BadInput(
                f"{place.name} would be {width}x{height} px; the layers need {shortest}: leave it out, or raise size"
            )
        return resize(picture, longer)

    def _new_network(self) -> TransformNetwork:
        if self._request.start is not None:
            return read_model(self._request.start).to(torch.device(self._device)).train().requires_grad_()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._request.settings.seed)
            return TransformNetwork(Architecture()).to(torch.device(self._device))

    def _objective(self, content: Tensor, precision: str, gradients: bool = True) -> Objective:
        request, settings = self._request, self._request.settings
        weights = weights_of(settings)
        given = weights.layers, precision, settings.pooling, self._device, settings.network
        encoder = load_encoder(*given, request.weights, request.weights_sha256)
        longer, layers = settings.size * settings.style_scale, tuple(settings.style_layers)
        style = load_style(request.style, request.style_sha256, longer, layers, encoder)
        targets = content_targets(encoder, content, settings.content_layers)
        recomputed = 0
        if gradients:
            alone = settings.model_copy(update={"steps": 1})  # no optimizer's history lies beside it
            pixels = content.shape[-2] * content.shape[-1]
            recomputed = choose_recomputed(encoder, alone, pixels, self._device, False, self._share)
        return Objective(encoder, weights, targets, style, recomputed=recomputed)

    @property
    def network(self) -> TransformNetwork:
        """The network as it is now."""
        return self._trainer.network

    @property
    def step(self) -> int:
        """How many steps have been taken."""
        return self._trainer.step

    @property
    def recent(self) -> float:
        """The typical loss of the last steps."""
        return math.exp(fmean(self._since[-50:]))

    @property
    def stalled(self) -> bool:
        """Whether the last validations were all no better than an earlier one."""
        held_out = [point.held_out for point in self.curve if point.step >= ON_CONTENT * self._request.steps]
        return len(held_out) > PATIENCE and min(held_out[-PATIENCE:]) >= min(held_out[:-PATIENCE])

    def take(self) -> None:
        """One step of the training."""
        settings = self._request.settings
        picture = sample(self._pictures, settings.size, settings.seed, self.step).to(self._device)
        precision = settings.precision
        self._since.append(self._trainer.take(picture, self._objective(picture, precision), self._dtype))

    def validate(self) -> None:
        """Judge the held-out pictures, and keep the network if it is the best so far."""
        held_out = fmean(losses.total.item() for losses in self._judge())
        if not math.isfinite(held_out):
            raise BadInput("the training has diverged: its pictures have no finite loss; try another seed")
        seconds = self._seconds + time.perf_counter() - self._began
        self.curve.append(Point(self.step, seconds, math.exp(fmean(self._since)), held_out))
        self._since = self._since[-1:]
        if held_out < self._best[0]:
            self._best = held_out, self._trainer.state()

    def optimize_once(self) -> None:
        """One step of the optimizer, as a pair without a network takes many of."""
        picture = self._held_out[0]
        optimize(self._tracked, picture, LBFGS(1), 1)

    def paint_once(self) -> None:
        """One pass of the network, to its end: a device of its own would not be waited for."""
        self._painted(self._held_out[0]).cpu()

    @cached_property
    def _tracked(self) -> Objective:
        """The objective of the first held-out picture as the optimizer is given it."""
        return self._objective(self._held_out[0], self._request.settings.precision)

    def _painted(self, picture: Tensor) -> Tensor:
        """What the network makes of a picture, as it would be written."""
        self.network.presence = 1.0  # wherever the training is
        with torch.no_grad():
            painted: Tensor = self.network(picture, self._dtype)
        return (painted * 255).round() / 255

    def _judge(self) -> list[Losses]:
        with torch.no_grad():
            pairs = zip(self._held_out, self._judging, strict=True)
            return [objective(self._painted(picture)) for picture, objective in pairs]

    def preview(self) -> Image.Image:
        """Some held-out pictures beside what the network makes of them now."""
        rows = []
        for picture in self._held_out[:PREVIEW]:
            rows.append(to_picture(torch.cat([picture, self._painted(picture)], 3)))
        sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
        top = 0
        for row in rows:
            sheet.paste(row, (0, top))
            top += row.height
        return sheet

    def save(self, checkpoint: Checkpoint) -> None:
        """Write down everything that `resume` needs."""
        tensors = {f"now.{name}": tensor for name, tensor in self._trainer.state().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self._best[1].items()}
        seconds = self._seconds + time.perf_counter() - self._began
        numbers = {"step": self.step, "best": self._best[0], "since": self._since, "seconds": seconds}
        checkpoint.save(tensors, {**numbers, "curve": [asdict(point) for point in self.curve]})

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint, if there is one of this training."""
        held = checkpoint.load()
        if held is None:
            return
        tensors, numbers = held
        parts: dict[str, dict[str, Tensor]] = {"now": {}, "best": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = tensor.to(self._device)
        self._trainer.resume(parts["now"], numbers["step"])
        self._best = numbers["best"], parts["best"]
        self._since, self._seconds = numbers["since"], numbers["seconds"]
        self.curve = [Point(**point) for point in numbers["curve"]]

    def finish(self) -> Trained:
        """Take the best network, in the precision of its file, and judge it."""
        request = self._request
        seconds = self._seconds + time.perf_counter() - self._began
        self._trainer.resume(self._best[1], self.step)
        self.network.half().float().eval().requires_grad_(False)
        judged = self._judge()
        mean = {
            "total_loss": fmean(one.total.item() for one in judged),
            "content_loss": fmean(one.content.item() for one in judged),
            "style_loss": fmean(sum(loss.item() for loss in one.style.values()) for one in judged),
            "tv_loss": fmean(one.tv.item() for one in judged),
        }
        return Trained(
            architecture=described(self.network),
            style=request.style.name,
            style_sha256=request.style_sha256,
            settings=request.settings,
            contents=len(self._pictures),
            held_out=len(self._held_out),
            steps=self.step,
            seconds=seconds,
            worth=self._worth(judged),
            **mean,
        )

    def _worth(self, judged: Sequence[Losses]) -> float:
        """The step at which the optimizer is where the network is, on average over some held-out pictures."""
        found = []
        for picture, losses in list(zip(self._held_out, judged, strict=True))[:WORTH_PICTURES]:
            curve: list[float] = []

            def on_step(_: int, seen: Losses, curve: list[float] = curve) -> None:
                curve.append(seen.total.item())

            objective = self._objective(picture, self._request.settings.precision)
            optimize(objective, picture, LBFGS(WORTH_STEPS), WORTH_STEPS, on_step)
            reached = (step for step, loss in enumerate(curve) if loss <= losses.total.item())
            found.append(next(reached, WORTH_STEPS))
        return fmean(found)
