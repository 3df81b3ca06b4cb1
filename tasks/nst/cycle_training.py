"""The steps of a cycle-consistent training: one photograph and one painting make two networks and two critics better.

As Zhu, Park, Isola, Efros (ICCV 2017) publish it: Adam with a rate of 2e-4 and β = (0.5, 0.999), constant over the
first half of the training and falling to zero along a line over the second; networks first, then their critics, which
look at a buffer of earlier results. What counts in the end is the moving average of the network that paints, as in
`training`.

Both ways round, photograph to painting and back, and painting to photograph and back, know nothing of each other. So
they are studied side by side, and the same networks come out whatever the number of cores.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import torch
from torch import Tensor

from stylebatch.tasks.nst.adversarial import CycleWeights, Terms, apart, critic_loss, takes_for
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.earlier_results import EarlierResults
from stylebatch.tasks.nst.patch_critic import PatchCritic
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
    """One way round: from pictures of one kind to the other, and back.

    Attributes:
        there: makes the other kind; ``back``: makes this one.
        critic: of the other kind.
        earlier: what ``there`` has made.
    """

    there: CollectionNetwork
    back: CollectionNetwork
    critic: PatchCritic
    earlier: EarlierResults


@dataclass(frozen=True)
class _Studied:
    """What one way round has told: its terms, the gradients of both networks, and the picture that was made."""

    terms: Terms
    gradients: Sequence[Tensor]
    made: Tensor


def go_round(way: Way, picture: Tensor, dtype: torch.dtype = torch.float32) -> tuple[Terms, Tensor]:
    """The terms of one picture (1, 3, H, W), RGB in [0, 1], and what ``there`` makes of it, the same shape.

    Raises:
        ValueError: it makes what is no finite number, and has no ground.
    """
    made = way.there(picture, dtype)
    if not made.isfinite().all():
        raise ValueError("what a network makes is no finite number")
    returned, same = way.back(torch.cat([made, picture]), dtype).split(1)
    terms = Terms(takes_for(way.critic(made), 1), apart(returned, picture), apart(same, picture))
    return terms, made


class CycleTrainer:
    """Two networks and two critics, in the middle of a training of ``steps`` steps.

    Attributes:
        painter: makes paintings of photographs; ``photographer``: photographs of paintings.
        average: the moving average of the painter, which is what has been learned.
        step: how many have been taken.
    """

    def __init__(
        self,
        painter: CollectionNetwork,
        photographer: CollectionNetwork,
        new_critic: Callable[[], PatchCritic],
        steps: int,
        weights: CycleWeights,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.painter, self.photographer = painter, photographer
        self._of_paintings, self._of_photographs = new_critic(), new_critic()
        self.average = copy.deepcopy(self.painter).requires_grad_(False)
        self.step = 0
        self._steps, self._weights, self._dtype = steps, weights, dtype
        self.ways = (
            Way(self.painter, self.photographer, self._of_paintings, EarlierResults()),
            Way(self.photographer, self.painter, self._of_photographs, EarlierResults()),
        )
        self._parameters = [*self.painter.parameters(), *self.photographer.parameters()]
        critics = [*self._of_paintings.parameters(), *self._of_photographs.parameters()]
        self._optimizers = [torch.optim.Adam(one, lr=RATE, betas=BETAS) for one in (self._parameters, critics)]

    def take(self, photograph: Tensor, painting: Tensor, chance: Random, each: Each = map) -> tuple[Terms, Terms]:
        """One step, by a photograph and a painting, (1, 3, H, W) each, RGB in [0, 1].

        Args:
            chance: what is drawn from the buffers by.
            each: may do several at once.

        Returns:
            The terms of both ways round before the step.

        Raises:
            ValueError: a loss, or what a network makes, is no finite number; nothing has changed.
        """
        for optimizer in self._optimizers:
            optimizer.param_groups[0]["lr"] = RATE * self._pace()
        pictures = photograph, painting
        studied: list[_Studied] = list(each(self._study, list(zip(self.ways, pictures, strict=True))))
        totals = [self._weights.total(one.terms).item() for one in studied]
        if not all(map(math.isfinite, totals)):
            raise ValueError("a loss is no finite number")
        for parameter, *found in zip(self._parameters, *(one.gradients for one in studied), strict=True):
            parameter.grad = torch.stack(found).sum(0)
        of_networks, of_critics = self._optimizers
        of_networks.step()
        made = [way.earlier.exchange(one.made, chance) for way, one in zip(self.ways, studied, strict=True)]
        shown = [
            (way.critic, real, other) for way, real, other in zip(self.ways, reversed(pictures), made, strict=True)
        ]
        for way, gradients in zip(self.ways, each(_criticize, shown), strict=True):
            for parameter, gradient in zip(way.critic.parameters(), gradients, strict=True):
                parameter.grad = gradient
        of_critics.step()
        follow(self.average, self.painter, self.step, LONGEST_MEMORY)
        self.step += 1
        first, second = studied
        return first.terms, second.terms

    def _study(self, asked: tuple[Way, Tensor]) -> _Studied:
        way, picture = asked
        terms, made = go_round(way, picture, self._dtype)
        gradients = torch.autograd.grad(self._weights.total(terms), self._parameters)
        detached = Terms(terms.adversarial.detach(), terms.cycle.detach(), terms.identity.detach())
        return _Studied(detached, gradients, made.detach())

    def _pace(self) -> float:
        """The share of the rate at this step."""
        return 1 - max(0.0, (self.step / self._steps - STEADY) / (1 - STEADY))

    def state(self) -> dict[str, Tensor]:
        """Everything that a later `resume` needs, by name, as it is now."""
        tensors = state_of(self._networks, self._optimizers)
        for number, way in enumerate(self.ways):
            tensors |= {f"earlier.{number}.{name}": pixels for name, pixels in way.earlier.state().items()}
        return tensors

    def resume(self, state: Mapping[str, Tensor], step: int) -> None:
        """Go on from what `state` gave after ``step`` steps of the same training.

        Raises:
            RuntimeError, KeyError: it is another network's.
        """
        resume(state, self._networks, self._optimizers)
        for number, way in enumerate(self.ways):
            way.earlier.resume(within(state, f"earlier.{number}"))
        self.step = step

    @property
    def _networks(self) -> dict[str, torch.nn.Module]:
        return {
            "painter": self.painter,
            "photographer": self.photographer,
            "of_paintings": self._of_paintings,
            "of_photographs": self._of_photographs,
            "average": self.average,
        }


def _criticize(shown: tuple[PatchCritic, Tensor, Tensor]) -> Sequence[Tensor]:
    """The gradients of a critic for a real picture and one that was made, of any two shapes."""
    critic, real, made = shown
    return torch.autograd.grad(critic_loss(critic(real), critic(made)), list(critic.parameters()))
