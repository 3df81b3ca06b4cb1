"""What every training in one process has: its steps, how the held-out pictures do, what is kept, and when it ends."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from statistics import fmean
from types import TracebackType
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.models import Network, Trained, described, read_any_style
from stylebatch.tasks.nst.any_style import AnyStyleNetwork
from stylebatch.tasks.nst.trained_state import within
from stylebatch.tasks.storage.files import has_digest
from stylebatch.tasks.training.checkpoint import Checkpoint
from stylebatch.tasks.training.photographs import read_photographs
from stylebatch.tasks.training.request import File, Request

VALIDATIONS = 10  # in a whole training, or more, since they are never further apart than this many steps:
FARTHEST = 500
# A training ends when this share of its steps has brought nothing better.
PATIENCE = 0.35
DIVERGED = "the training has diverged: its pictures have no finite loss; try another seed"
N = TypeVar("N", bound=Network)
N_contra = TypeVar("N_contra", bound=Network, contravariant=True)


@dataclass(frozen=True)
class Judgement:
    """Means over what was held out.

    Attributes:
        loss: what decides whether a network is better than another: what a training minimizes, or of a collection the
            distance to its paintings, as a share of the photographs' own.
        structure, style_distance: the figures of a report.
    """

    loss: float
    structure: float
    style_distance: float


@dataclass(frozen=True)
class Point:
    """One validation: after how many samples and seconds, the loss of the training since the last one, and judged."""

    samples: int
    seconds: float
    loss: float
    held_out: float
    structure: float
    style_distance: float


class Learner(Protocol[N]):
    """What takes the steps.

    Attributes:
        average: what has been learned; ``step``: how many steps have been taken.
    """

    average: N
    step: int

    def state(self) -> dict[str, Tensor]:
        """Everything that `resume` needs."""

    def resume(self, state: dict[str, Tensor], step: int) -> None:
        """Go on from a state."""


class Judge(Protocol[N_contra]):
    """What was held out; as many contents as its length."""

    def __len__(self) -> int:
        """How many contents there are."""

    def judge(self, network: N_contra) -> Judgement:
        """How a network does on them."""

    def preview(self, network: N_contra) -> Image.Image:
        """Some of them as it paints them."""


class Course(AbstractContextManager["Course[N]"], Generic[N]):
    """A training, step by step. What kind it is says what a step is, who learns and who judges.

    Args:
        threads: at most, that study side by side.

    Attributes:
        batch: samples a step.
        settled: share of the steps before which no network counts as the best.
        curve: the validations so far.
    """

    batch: ClassVar[int]
    settled: ClassVar[float] = 0.0
    _trainer: Learner[N]
    _held_out: Judge[N]

    def __init__(self, request: Request, slot: Slot, threads: int) -> None:
        self._request, self._device = request, slot.device
        self._photographs = read_photographs(request)
        self._pool = _workers(slot, threads)
        self._best: tuple[float, dict[str, Tensor]] = math.inf, {}
        self._since: list[float] = []  # losses since the last validation
        self._seconds, self._began = 0.0, time.perf_counter()
        self.curve: list[Point] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    @abstractmethod
    def take(self) -> None:
        """One step of the training.

        Raises:
            BadInput: it leads to no finite number.
        """

    @property
    def step(self) -> int:
        """How many steps have been taken."""
        return self._trainer.step

    @property
    def network(self) -> N:
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
        counted = [point for point in self.curve if self._counts(point.samples // self.batch)]
        best = min(counted, key=lambda point: point.held_out).samples // self.batch if counted else 0
        begins = max(best, self.settled * self._request.steps)
        return self.step >= self._request.steps or self.step - begins > PATIENCE * self._request.steps

    def _counts(self, step: int) -> bool:
        return step >= self.settled * self._request.steps

    def validate(self) -> None:
        """Judge the held-out pictures, and keep the network if it is the best so far."""
        judged = self._held_out.judge(self.network)
        if not math.isfinite(judged.loss):
            raise BadInput(DIVERGED)
        loss = fmean(self._since)
        figures = judged.loss, judged.structure, judged.style_distance
        self.curve.append(Point(self.step * self.batch, self.seconds, loss, *figures))
        self._since = self._since[-1:]
        if judged.loss < self._best[0] and self._counts(self.step):
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

    def finish(self) -> tuple[N, Trained]:
        """The best network, in the precision of its file, and what is to be said of it."""
        request, network, seconds = self._request, self.network, self.seconds
        network.load_state_dict(self._best[1])
        network.half().float().eval()
        judged = self._held_out.judge(network)
        smallest, largest = request.longer_sides
        return network, Trained(
            architecture=described(network),
            settings=request.settings,
            contents=len(self._photographs.contents),
            styles=len(self._photographs.styles),
            held_out=len(self._held_out),
            steps=self.step,
            samples=self.step * self.batch,
            seconds=seconds,
            structure=judged.structure,
            style_distance=judged.style_distance,
            smallest=smallest,
            largest=largest,
            **self._said(judged),
        )

    @abstractmethod
    def _said(self, judged: Judgement) -> dict[str, Any]:
        """What a file says of its network, of those fields of `Trained` that the kind of the training decides."""


def _workers(slot: Slot, most: int) -> ThreadPoolExecutor:
    """Threads that study a step's samples side by side: on a device of its own it is one."""
    if slot.device != "cpu":
        return ThreadPoolExecutor(1)
    cores = slot.threads or torch.get_num_threads()
    workers = min(most, cores)
    return ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(cores // workers,))


def read_start(start: File) -> AnyStyleNetwork:
    """The network that a training starts from.

    Raises:
        BadInput: its file was changed since it was asked for, or is no such network's.
    """
    path, sha256 = start
    if not has_digest(path, sha256):
        raise BadInput(f"{path.name} was changed meanwhile; start the training again")
    return read_any_style(path)
