"""The steps of an adversarial training: photographs and paintings without pairs make networks and their critics better.

As Zhu, Park, Isola, Efros (ICCV 2017) publish them: Adam with a rate of 2e-4 and β = (0.5, 0.999), constant over the
first half of the training and falling to zero along a line over the second; networks first, then their critics, which
look at a buffer of earlier results. What critics see was changed by `augmentation`. What counts in the end is the
moving average of the network that paints, as in `training`.

Samples know nothing of each other, and no more do both ways of a cycle. So they are studied side by side, and the same
networks come out whatever the number of cores.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

import torch
from torch import Tensor

from stylebatch.tasks.nst.adversarial import critic_loss, takes_for
from stylebatch.tasks.nst.augmentation import Augmentation, draw_augmentation
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.earlier_results import EarlierResults
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.feature_critic import FeatureCritic
from stylebatch.tasks.nst.trained_state import follow, resume, state_of, within

RATE, BETAS = 2e-4, (0.5, 0.999)
STEADY = 0.5  # share of the training until which the rate stays
LONGEST_MEMORY = 0.998  # of the moving average


class Each(Protocol):
    """`map`, or that of an executor."""

    def __call__(self, function: Callable[[Any], Any], given: Iterable[Any], /) -> Iterable[Any]:
        """What ``function`` makes of each, in their order."""


@dataclass(frozen=True)
class Way:
    """From pictures of one kind to the other.

    Attributes:
        network: makes the other kind.
        critic: of the other kind.
        lost: of pictures, and what was made of them, (N, 3, H, W) each, what it takes besides the critic, weighted.
        earlier: what the network has made.
    """

    network: CollectionNetwork
    critic: FeatureCritic
    lost: Callable[[Tensor, Tensor], Tensor]
    earlier: EarlierResults = field(default_factory=EarlierResults)


@dataclass(frozen=True)
class _Lot:
    """Pictures that go through at once, how each, or what is made of it, is changed, and their share of the step's."""

    pictures: Tensor
    changes: Sequence[Augmentation]
    share: float

    def change(self, pictures: Tensor) -> Tensor:
        """These or what was made of them, as a critic sees them."""
        return torch.cat([change(one) for change, one in zip(self.changes, torch.split(pictures, 1), strict=True)])


@dataclass(frozen=True)
class _Studied:
    """What a lot has told: its share of the loss and of the gradients, and the pictures that were made."""

    loss: float
    gradients: Sequence[Tensor]
    made: Tensor


class CollectionTrainer:
    """Networks and critics, in the middle of a training of ``steps`` steps.

    Args:
        ways: from photographs to paintings, and for a cycle back again.
        encoder: what critics look through.
        taken: weight of being taken for real by them.
        dtype: of the networks' features.
        together: samples that go through the networks at once: on a processor 1, so that threads take one each.

    Attributes:
        average: the moving average of the network that paints, which is what has been learned.
        step: how many have been taken.
    """

    def __init__(
        self,
        ways: Sequence[Way],
        encoder: Encoder,
        steps: int,
        taken: float = 1.0,
        dtype: torch.dtype = torch.float32,
        together: int = 1,
    ) -> None:
        self.ways = ways
        self.average = copy.deepcopy(ways[0].network).requires_grad_(False)
        self.step = 0
        self._encoder, self._steps, self._taken, self._dtype, self._together = encoder, steps, taken, dtype, together
        self._parameters = [one for way in ways for one in way.network.parameters()]
        critics = [one for way in ways for one in way.critic.parameters()]
        self._optimizers = [torch.optim.Adam(one, lr=RATE, betas=BETAS) for one in (self._parameters, critics)]

    def take(self, photographs: Tensor, paintings: Tensor, chance: Random, each: Each = map) -> float:
        """One step, by as many photographs as paintings, (N, 3, H, W) each, RGB in [0, 1].

        Args:
            chance: what is changed, and what is drawn from the buffers, by.
            each: may do several at once.

        Returns:
            The networks' loss before the step, on the mean of the ways.

        Raises:
            ValueError: a loss, or what a network makes, is no finite number; nothing has changed.
        """
        for optimizer in self._optimizers:
            optimizer.param_groups[0]["lr"] = RATE * self._pace()
        kinds = (photographs, paintings), (paintings, photographs)
        ways = [(way, given, real) for way, (given, real) in zip(self.ways, kinds, strict=False)]
        asked = [(way, lot) for way, given, _ in ways for lot in self._lots(given, chance)]
        studied: list[_Studied] = list(each(self._study, asked))
        if not all(math.isfinite(one.loss) for one in studied):
            raise ValueError("a loss is no finite number")
        of_networks, of_critics = self._optimizers
        _set_gradients(self._parameters, [one.gradients for one in studied])
        of_networks.step()
        shown = []
        for way, _, real in ways:
            made = torch.cat([one.made for (asked_of, _), one in zip(asked, studied, strict=True) if asked_of is way])
            earlier = torch.cat([way.earlier.exchange(one, chance) for one in torch.split(made, 1)])
            lots = zip(self._lots(real, chance), self._lots(earlier, chance), strict=True)
            shown += [(way, *both) for both in lots]
        criticized = list(each(self._criticize, shown))
        for way, *_ in ways:
            own = [found for (shown_to, *_), found in zip(shown, criticized, strict=True) if shown_to is way]
            _set_gradients(list(way.critic.parameters()), own)
        of_critics.step()
        follow(self.average, self.ways[0].network, self.step, LONGEST_MEMORY)
        self.step += 1
        return sum(one.loss for one in studied) / len(ways)

    def _lots(self, pictures: Tensor, chance: Random) -> Sequence[_Lot]:
        changes = [draw_augmentation(chance, *pictures.shape[-2:]) for _ in pictures]
        lots = range(0, len(pictures), self._together)
        each = [(pictures[first : first + self._together], changes[first : first + self._together]) for first in lots]
        return [_Lot(some, drawn, len(drawn) / len(changes)) for some, drawn in each]

    def _study(self, asked: tuple[Way, _Lot]) -> _Studied:
        way, lot = asked
        made = way.network(lot.pictures, self._dtype)
        if not made.isfinite().all():  # it would have no ground
            raise ValueError("what a network makes is no finite number")
        taken = takes_for(way.critic(lot.change(made), self._encoder), 1)
        loss = lot.share * (self._taken * taken + way.lost(lot.pictures, made))
        return _Studied(loss.item(), torch.autograd.grad(loss, self._parameters), made.detach())

    def _criticize(self, shown: tuple[Way, _Lot, _Lot]) -> Sequence[Tensor]:
        """The gradients of a critic that is shown real pictures and such that were made."""
        way, real, made = shown
        of_real, of_made = (way.critic(lot.change(lot.pictures), self._encoder) for lot in (real, made))
        return torch.autograd.grad(real.share * critic_loss(of_real, of_made), list(way.critic.parameters()))

    def _pace(self) -> float:
        """The share of the rate at this step."""
        return 1 - max(0.0, (self.step / self._steps - STEADY) / (1 - STEADY))

    def state(self) -> dict[str, Tensor]:
        """Everything that a later `resume` needs, by name, as it is now."""
        tensors = state_of(self._modules, self._optimizers)
        for number, way in enumerate(self.ways):
            tensors |= {f"earlier.{number}.{name}": pixels for name, pixels in way.earlier.state().items()}
        return tensors

    def resume(self, state: Mapping[str, Tensor], step: int) -> None:
        """Go on from what `state` gave after ``step`` steps of the same training.

        Raises:
            RuntimeError, KeyError: it is another network's.
        """
        resume(state, self._modules, self._optimizers)
        for number, way in enumerate(self.ways):
            way.earlier.resume(within(state, f"earlier.{number}"))
        self.step = step

    @property
    def _modules(self) -> dict[str, torch.nn.Module]:
        found: dict[str, torch.nn.Module] = {"average": self.average}
        for number, way in enumerate(self.ways):
            found |= {f"network.{number}": way.network, f"critic.{number}": way.critic}
        return found


def _set_gradients(parameters: Sequence[Tensor], lots: Sequence[Sequence[Tensor]]) -> None:
    """The sum over the lots."""
    for parameter, *found in zip(parameters, *lots, strict=True):
        parameter.grad = torch.stack(found).sum(0)
