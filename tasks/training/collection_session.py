"""A training for a collection of paintings, which are one style together: photographs and paintings without pairs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import fmean
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.models import OF_COLLECTION
from stylebatch.tasks.nst.adversarial import CycleWeights
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.cycle_training import CycleTrainer
from stylebatch.tasks.nst.ground import statistics
from stylebatch.tasks.nst.patch_critic import PatchCritic
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.request.collections import digest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.stylizing.objective import to_tensor
from stylebatch.tasks.training.course import DIVERGED, Course, Judgement
from stylebatch.tasks.training.held_out_collection import HeldOutCollection
from stylebatch.tasks.training.request import Request
from stylebatch.tasks.training.samples import flipped, longer_side, part

CROP = 128  # pixels at most of a side
KEPT = 0.5  # of the published weights of cycle and identity, with all of which a painter stays where it begins


def weights_of(settings: Settings) -> CycleWeights:
    """The weights for the settings of a `Request`."""
    published = CycleWeights()
    kept, style = KEPT * settings.content_weight, settings.style_weight
    return CycleWeights(style * published.adversarial, kept * published.cycle, kept * published.identity)


class CollectionSession(Course[CollectionNetwork]):
    """A cycle-consistent training, step by step: each looks at one piece of a photograph and one of a painting.

    Raises:
        BadInput: a picture cannot be read, or a file was changed meanwhile.
    """

    batch = 1
    _trainer: CycleTrainer
    _held_out: HeldOutCollection

    def __init__(self, request: Request, slot: Slot) -> None:
        super().__init__(request, slot, threads=2)  # one a way round
        settings, photographs = request.settings, self._photographs
        dtype = DTYPES[settings.precision]
        self._held_out = HeldOutCollection(photographs, request.size, settings.style_scale, dtype, slot.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self._trainer = CycleTrainer(
                self._new_network(photographs.styles, request.size * settings.style_scale),
                self._new_network(photographs.contents, request.size),
                lambda: PatchCritic().to(torch.device(slot.device)),
                request.steps,
                weights_of(settings),
                dtype,
            )

    def _new_network(self, wanted: Sequence[Image.Image], longer: float) -> CollectionNetwork:
        """One that gives pictures the mean colours and contrasts of those that are wanted."""
        network = CollectionNetwork()
        each = [statistics(to_tensor(resize(one, longer), "cpu")) for one in wanted]
        network.statistics.copy_(torch.stack(each).mean(0))
        return network.to(torch.device(self._device))

    def take(self) -> None:
        """One step of the training.

        Raises:
            BadInput: it leads to no finite number.
        """
        chance = Random(f"{self._request.settings.seed} step {self.step}")
        photographs, scale = self._photographs, self._request.settings.style_scale
        photograph, painting = (
            self._piece(chance, chance.choice(photographs.contents), 1.0),
            self._piece(chance, chance.choice(photographs.styles), scale),
        )
        try:
            terms = self._trainer.take(photograph, painting, chance, self._pool.map)
        except ValueError:
            raise BadInput(DIVERGED) from None
        self._since.append(fmean(weights_of(self._request.settings).total(one).item() for one in terms))

    def _piece(self, chance: Random, picture: Image.Image, scale: float) -> Tensor:
        """A piece of a picture, or its mirror image, at one of the sizes: (1, 3, H, W)."""
        smallest, largest = (scale * side for side in self._request.longer_sides)
        longer = longer_side(chance, max(picture.size), smallest, largest)
        return flipped(part(resize(picture, longer), min(CROP, self._request.size), chance), chance).to(self._device)

    def _said(self, judged: Judgement) -> dict[str, Any]:
        digests = tuple(sha256 for _, sha256 in self._request.styles)
        return {
            "format": OF_COLLECTION,
            "style": self._request.name,
            "style_sha256": digest(digests),
            "paintings": digests,
            "distance": judged.loss,
        }
