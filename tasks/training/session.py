"""One training in one process: its samples, its network, and how the held-out pictures do."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from statistics import fmean
from types import TracebackType

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.models import Trained, described, read_model
from stylebatch.tasks.nst.any_style import AnyStyleNetwork
from stylebatch.tasks.nst.condition import LOOKED_AT, MOMENTS
from stylebatch.tasks.nst.criterion import Criterion
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.nst.trained_state import within
from stylebatch.tasks.nst.training import Trainer
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import has_digest
from stylebatch.tasks.training.checkpoint import Checkpoint
from stylebatch.tasks.training.held_out import HeldOut
from stylebatch.tasks.training.photographs import read_photographs
from stylebatch.tasks.training.request import File, Request
from stylebatch.tasks.training.samples import Samples

BATCH = 4  # samples a step
# What a content weight of 1 stands for beside a style weight of 1, and the total variation's that is always there.
CONTENT, TV = 0.25, 8e-4
VALIDATIONS = 10  # in a whole training, or more, since they are never further apart than this many steps:
FARTHEST = 500
# A training ends when this share of its steps has brought nothing better.
PATIENCE = 0.35
MEASURED_STYLES = 160  # by which a new network measures what it is told
LEAST_DEVIATION = 0.05  # of what is told: what hardly differs between them may yet differ in others
DIVERGED = "the training has diverged: its pictures have no finite loss; try another seed"


@dataclass(frozen=True)
class Point:
    """One validation: after how many samples and seconds, the loss of the training since the last one, and judged."""

    samples: int
    seconds: float
    loss: float
    held_out: float
    structure: float
    style_distance: float


def criterion_of(settings: Settings) -> Criterion:
    """What a training minimizes, by the settings of a `Request`."""
    return Criterion(CONTENT * settings.content_weight, settings.style_weight, TV + settings.tv_weight)


class Session(AbstractContextManager["Session"]):
    """A training, step by step.

    Gradients are found sample by sample, on a processor by as many threads as there are cores, each with samples of its
    own: so the same network comes out whatever the number of cores.

    Raises:
        BadInput: a picture cannot be read, or a file was changed meanwhile.
    """

    def __init__(self, request: Request, slot: Slot) -> None:
        self._request, self._device = request, slot.device
        settings = request.settings
        self._dtype, self._criterion = DTYPES[settings.precision], criterion_of(settings)
        self._photographs = read_photographs(request)
        self._encoder = Encoder(LOOKED_AT, self._dtype, device=slot.device)
        self._samples = Samples(request, self._photographs.contents, self._photographs.styles, self._encoder)
        size, scale = request.size, settings.style_scale
        self._held_out = HeldOut(self._photographs, size, scale, self._criterion, self._dtype, slot.device)
        self._pool = _workers(slot)
        self._trainer = Trainer(self._new_network(), request.steps)
        self._best: tuple[float, dict[str, Tensor]] = math.inf, {}
        self._since: list[float] = []  # losses since the last validation
        self._seconds, self._began = 0.0, time.perf_counter()
        self.curve: list[Point] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _new_network(self) -> AnyStyleNetwork:
        device = torch.device(self._device)
        if self._request.start is not None:
            return _read_start(self._request.start).to(device).train().requires_grad_()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._request.settings.seed)
            network = AnyStyleNetwork().to(device)
        styles = self._samples.styles(min(MEASURED_STYLES, 4 * len(self._photographs.styles)))
        told = torch.cat([style.condition[:, :MOMENTS] for style in styles])  # (n, MOMENTS)
        network.told_mean.copy_(told.mean(0))
        network.told_std.copy_(told.std(0).clamp_min(LEAST_DEVIATION))
        return network

    @property
    def step(self) -> int:
        """How many steps have been taken."""
        return self._trainer.step

    @property
    def network(self) -> AnyStyleNetwork:
        """What has been learned so far."""
        return self._trainer.average

    @property
    def seconds(self) -> float:
        """That the training has taken, in all processes."""
        return self._seconds + time.perf_counter() - self._began

    @property
    def recent(self) -> float:
        """The typical loss of the last steps."""
        return fmean(self._since[-50:])

    @property
    def is_due(self) -> bool:
        """Whether it is time to validate."""
        every = max(1, min(FARTHEST, self._request.steps // VALIDATIONS))
        return self.step % every == 0 or self.step == self._request.steps

    @property
    def is_over(self) -> bool:
        """Whether all steps are taken, or the last ones have brought nothing better."""
        best = min(self.curve, key=lambda point: point.held_out).samples // BATCH if self.curve else 0
        return self.step >= self._request.steps or self.step - best > PATIENCE * self._request.steps

    def take(self) -> None:
        """One step of the training. A sample that leads to no finite number is left out of it.

        Raises:
            BadInput: all of them do.
        """
        first = self.step * BATCH
        studied = [one for one in self._pool.map(self._study, range(first, first + BATCH)) if one]
        if not studied:
            raise BadInput(DIVERGED)
        self._trainer.take([gradients for _, gradients in studied])
        self._since.append(fmean(loss for loss, _ in studied))

    def _study(self, number: int) -> tuple[float, Sequence[Tensor]] | None:
        """The loss of one sample, and its gradients; nothing where they are no finite numbers."""
        sample = self._samples.draw(number)
        painted = self._trainer.network(sample.content, sample.style.condition, self._dtype)
        loss = self._criterion.total(self._criterion.terms(self._encoder, painted, sample.arrangement, sample.style))
        gradients = self._trainer.gradients(loss)
        is_finite = math.isfinite(loss.item()) and all(gradient.isfinite().all() for gradient in gradients)
        return (loss.item(), gradients) if is_finite else None

    def paint(self, picture: Tensor) -> Tensor:
        """What the network makes of a picture (1, 3, H, W), RGB in [0, 1], now."""
        return self._held_out.paint(self.network, picture)

    def validate(self) -> None:
        """Judge the held-out pictures, and keep the network if it is the best so far."""
        judged = self._held_out.judge(self.network)
        if not math.isfinite(judged.loss):
            raise BadInput(DIVERGED)
        loss = fmean(self._since)
        figures = judged.loss, judged.structure, judged.style_distance
        self.curve.append(Point(self.step * BATCH, self.seconds, loss, *figures))
        self._since = self._since[-1:]
        if judged.loss < self._best[0]:
            self._best = judged.loss, within(self._trainer.state(), "average")

    def preview(self) -> Image.Image:
        """Some held-out pictures beside what the network makes of them now."""
        return self._held_out.preview(self.network)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write down everything that `resume` needs."""
        tensors = {f"now.{name}": tensor for name, tensor in self._trainer.state().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self._best[1].items()}
        numbers = {"step": self.step, "best": self._best[0], "since": self._since, "seconds": self.seconds}
        checkpoint.save(tensors, {**numbers, "curve": [asdict(point) for point in self.curve]})

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint, if there is one of this training."""
        held = checkpoint.load()
        if held is None:
            return
        tensors, numbers = held
        tensors = {name: tensor.to(self._device) for name, tensor in tensors.items()}
        self._trainer.resume(within(tensors, "now"), numbers["step"])
        self._best = numbers["best"], within(tensors, "best")
        self._since, self._seconds = numbers["since"], numbers["seconds"]
        self.curve = [Point(**point) for point in numbers["curve"]]

    def finish(self) -> tuple[AnyStyleNetwork, Trained]:
        """The best network, in the precision of its file, and what is to be said of it."""
        request, network, seconds = self._request, self.network, self.seconds
        network.load_state_dict(self._best[1])
        network.half().float().eval()
        judged = self._held_out.judge(network)
        smallest, largest = request.longer_sides
        return network, Trained(
            architecture=described(network),
            style=request.name if request.is_tuning else "",
            style_sha256=request.styles[0][1] if request.is_tuning else "",
            settings=request.settings,
            contents=len(self._photographs.contents),
            styles=len(self._photographs.styles),
            held_out=len(self._held_out),
            steps=self.step,
            samples=self.step * BATCH,
            seconds=seconds,
            structure=judged.structure,
            style_distance=judged.style_distance,
            smallest=smallest,
            largest=largest,
        )


def _read_start(start: File) -> AnyStyleNetwork:
    path, sha256 = start
    if not has_digest(path, sha256):
        raise BadInput(f"{path.name} was changed meanwhile; start the training again")
    return read_model(path)


def _workers(slot: Slot) -> ThreadPoolExecutor:
    """Threads that study a step's samples side by side: on a device of its own it is one."""
    if slot.device != "cpu":
        return ThreadPoolExecutor(1)
    cores = slot.threads or torch.get_num_threads()
    workers = min(BATCH, cores)
    return ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(cores // workers,))
