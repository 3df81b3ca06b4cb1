"""A training for any style, or for one: its samples, its network, and how the held-out pictures do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.models import read_any_style
from stylebatch.tasks.nst.any_style import AnyStyleNetwork
from stylebatch.tasks.nst.condition import LOOKED_AT, MOMENTS
from stylebatch.tasks.nst.criterion import Criterion
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.nst.training import Trainer
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import has_digest
from stylebatch.tasks.training.course import DIVERGED, Course, Judgement
from stylebatch.tasks.training.held_out import HeldOut
from stylebatch.tasks.training.request import File, Request
from stylebatch.tasks.training.samples import Samples

BATCH = 4  # samples a step
# What a content weight of 1 stands for beside a style weight of 1, and the total variation's that is always there.
CONTENT, TV = 0.45, 8e-4
MEASURED_STYLES = 160  # by which a new network measures what it is told
LEAST_DEVIATION = 0.05  # of what is told: what hardly differs between them may yet differ in others


def criterion_of(settings: Settings) -> Criterion:
    """What a training minimizes, by the settings of a `Request`."""
    return Criterion(CONTENT * settings.content_weight, settings.style_weight, TV + settings.tv_weight)


class Session(Course[AnyStyleNetwork]):
    """A training, step by step.

    Gradients are found sample by sample, on a processor by as many threads as there are cores, each with samples of its
    own: so the same network comes out whatever the number of cores.

    Raises:
        BadInput: a picture cannot be read, or a file was changed meanwhile.
    """

    batch = BATCH
    _trainer: Trainer
    _held_out: HeldOut

    def __init__(self, request: Request, slot: Slot) -> None:
        super().__init__(request, slot, threads=BATCH)
        settings = request.settings
        self._dtype, self._criterion = DTYPES[settings.precision], criterion_of(settings)
        self._encoder = Encoder(LOOKED_AT, self._dtype, device=slot.device)
        self._samples = Samples(request, self._photographs.contents, self._photographs.styles, self._encoder)
        size, scale = request.size, settings.style_scale
        self._held_out = HeldOut(self._photographs, size, scale, self._criterion, self._dtype, slot.device)
        self._trainer = Trainer(self._new_network(), request.steps)

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

    def _said(self, judged: Judgement) -> dict[str, Any]:
        if not self._request.is_tuning:
            return {"style": "", "style_sha256": ""}
        return {"style": self._request.name, "style_sha256": self._request.styles[0][1]}


def _read_start(start: File) -> AnyStyleNetwork:
    path, sha256 = start
    if not has_digest(path, sha256):
        raise BadInput(f"{path.name} was changed meanwhile; start the training again")
    return read_any_style(path)
