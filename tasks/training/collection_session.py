"""A training for a collection of paintings, which are one style together: photographs and paintings without pairs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.models import OF_COLLECTION
from stylebatch.tasks.nst.any_style import AnyStyleNetwork
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.collection_training import STEADY, CollectionTrainer, Way
from stylebatch.tasks.nst.condition import LOOKED_AT, condition_of, moments
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.feature_critic import JUDGED, FeatureCritic, Moments
from stylebatch.tasks.nst.kept import LostOnTheWayBack, LostStructure
from stylebatch.tasks.nst.precision import DTYPES
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.request.collections import digest
from stylebatch.tasks.stylizing.objective import to_tensor
from stylebatch.tasks.training.course import DIVERGED, Course, Judgement, read_start
from stylebatch.tasks.training.held_out_collection import HeldOutCollection
from stylebatch.tasks.training.request import Request, piece_side
from stylebatch.tasks.training.samples import flipped, longer_side, part

BATCH = 4  # photographs a step, and paintings
CYCLE_KEPT = 0.5  # of the published weights of cycle and identity, which keep a painter from painting


class CollectionSession(Course[CollectionNetwork]):
    """An adversarial training, step by step: each looks at pieces of photographs and of paintings.

    Raises:
        BadInput: a picture cannot be read, or a file was changed meanwhile.
    """

    batch = BATCH
    settled = STEADY
    _trainer: CollectionTrainer
    _held_out: HeldOutCollection

    def __init__(self, request: Request, slot: Slot) -> None:
        super().__init__(request, slot, threads=BATCH * (2 if request.method == "cyclegan" else 1))
        settings, photographs, dtype = request.settings, self._photographs, DTYPES[request.settings.precision]
        self._held_out = HeldOutCollection(photographs, request.size, settings.style_scale, dtype, slot.device)
        encoder = Encoder(JUDGED, dtype, device=slot.device)
        together = 1 if slot.device == "cpu" else BATCH
        ways = self._ways(encoder, dtype)
        self._trainer = CollectionTrainer(ways, encoder, request.steps, settings.style_weight, dtype, together)

    def _ways(self, encoder: Encoder, dtype: torch.dtype) -> Sequence[Way]:
        request, photographs = self._request, self._photographs
        assert request.start  # as a `Request` for a collection has
        start = read_start(request.start).to(torch.device(self._device))
        kept = request.settings.content_weight
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(request.settings.seed)
            painter, of_paintings = self._begin(start, photographs.styles, request.size * request.settings.style_scale)
            if request.method == "one-way":
                return [Way(painter, of_paintings, LostStructure(encoder, kept))]
            photographer, of_photographs = self._begin(start, photographs.contents, request.size)
        back, there = (LostOnTheWayBack(one, CYCLE_KEPT * kept, dtype) for one in (photographer, painter))
        return [Way(painter, of_paintings, back), Way(photographer, of_photographs, there)]

    def _begin(
        self, start: AnyStyleNetwork, wanted: Sequence[Image.Image], longer: float
    ) -> tuple[CollectionNetwork, FeatureCritic]:
        """A network that makes what is wanted as the one to start from does when it is told their mean; a critic."""
        encoder = Encoder({*LOOKED_AT, *JUDGED}, device=self._device)

        @torch.no_grad()
        def look(picture: Image.Image) -> tuple[Tensor, dict[str, Moments]]:
            shown = to_tensor(resize(picture, longer), self._device)
            features = encoder(shown, dict.fromkeys({*LOOKED_AT, *JUDGED}, Tensor.detach))
            return condition_of(features, shown), {layer: moments(features[layer]) for layer in JUDGED}

        conditions, seen = zip(*self._pool.map(look, wanted), strict=True)
        usual = {layer: _mean([one[layer] for one in seen]) for layer in JUDGED}
        network = CollectionNetwork.told(start, torch.cat(conditions).mean(0, keepdim=True))
        return network, FeatureCritic(usual).to(torch.device(self._device))

    def take(self) -> None:
        """One step of the training.

        Raises:
            BadInput: it leads to no finite number.
        """
        chance = Random(f"{self._request.settings.seed} step {self.step}")
        photographs = self._pieces(chance, self._photographs.contents, 1.0)
        paintings = self._pieces(chance, self._photographs.styles, self._request.settings.style_scale)
        try:
            self._since.append(self._trainer.take(photographs, paintings, chance, self._pool.map))
        except ValueError:
            raise BadInput(DIVERGED) from None

    def _pieces(self, chance: Random, pictures: Sequence[Image.Image], scale: float) -> Tensor:
        """Square pieces of pictures, or their mirror images, at some of the sizes: (`BATCH`, 3, side, side)."""
        return torch.cat([self._piece(chance, chance.choice(pictures), scale) for _ in range(BATCH)]).to(self._device)

    def _piece(self, chance: Random, picture: Image.Image, scale: float) -> Tensor:
        smallest, largest = (scale * side for side in self._request.sides_for(*picture.size))
        longer = longer_side(chance, max(picture.size), smallest, largest)
        return flipped(part(resize(picture, longer), piece_side(self._request.size * scale), chance), chance)

    def _said(self, judged: Judgement) -> dict[str, Any]:
        digests = tuple(sha256 for _, sha256 in self._request.styles)
        return {
            "format": OF_COLLECTION,
            "style": self._request.name,
            "style_sha256": digest(digests),
            "paintings": digests,
            "distance": judged.loss,
        }


def _mean(each: Sequence[Moments]) -> Moments:
    mean, deviation = (torch.cat(some).mean(0, keepdim=True) for some in zip(*each, strict=True))
    return mean, deviation
