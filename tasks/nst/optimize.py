"""The loop: decode, evaluate, differentiate, step, and remember the best picture.

It asks, and is told: what is asked for can be evaluated by itself, or in `company`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from stylebatch.tasks.nst.alike import are_alike, losses_of_all
from stylebatch.tasks.nst.image import FourierImage, decode
from stylebatch.tasks.nst.losses import Losses, Objective, mean_losses, observe_each
from stylebatch.tasks.nst.reduced import reduced

T = TypeVar("T")


class Optimizer(Protocol):
    """What the loop asks of an optimizer."""

    def step(self, point: Tensor, loss: float, gradient: Tensor) -> Tensor:
        """The next point to evaluate, given the loss and its gradient at this one: all flat (N,)."""
        ...


@dataclass(frozen=True)
class Optimized:
    """The best picture that the loop has evaluated.

    Attributes:
        picture: (1, 3, H, W), RGB in [0, 1], float32.
        loss: the objective at it, as the optimizer saw it.
        steps: evaluations of the objective and its gradient.
    """

    picture: Tensor
    loss: float
    steps: int


@dataclass(frozen=True, eq=False)
class Asked:
    """A point at which an objective and its gradient are to be evaluated: the image's coefficients, flat (N,)."""

    objective: Objective
    image: FourierImage
    point: Tensor

    @property
    def kind(self) -> tuple[object, ...]:
        """What is equal of those that one pass of the network can evaluate together."""
        objective = self.objective
        return objective.encoder, objective.view, self.image.start.shape, *(one.shape for one in objective.smaller)


@dataclass(frozen=True, eq=False)
class Seen:
    """What is found at a point.

    Attributes:
        picture: (1, 3, H, W), RGB in [0, 1].
        losses: the terms of the objective, and ``loss``: their sum.
        gradient: flat (N,).
    """

    picture: Tensor
    losses: Losses
    loss: float
    gradient: Tensor


# A search for a picture, which goes on each time that it is told what it has asked for.
Search = Generator[Asked, Seen, T]


def search(
    objective: Objective,
    start: Tensor,
    optimizer: Optimizer,
    steps: int,
    on_step: Callable[[int, Losses], None] = lambda step, losses: None,
    stalled: Callable[[float], bool] = lambda best: False,
) -> Search[Optimized]:
    """Minimize ``objective`` over pictures, beginning with ``start`` (1, 3, H, W), RGB in [0, 1].

    Args:
        steps: at least 1; each costs one forward and one backward pass through the network.
        on_step: called after each step with its number, from 1, and its losses.
        stalled: given the best loss after each step; where it says so, the loop ends early.
    """
    image = FourierImage(start)
    point = image.coefficients.flatten()  # (N,)
    best = Optimized(start, float("inf"), 0)
    for step in range(1, steps + 1):
        seen = yield Asked(objective, image, point)
        if seen.loss < best.loss:
            best = Optimized(seen.picture, seen.loss, step)
        on_step(step, seen.losses)
        if stalled(best.loss):
            break
        point = optimizer.step(point, seen.loss, seen.gradient)
        del seen  # the next evaluation has the room
    return Optimized(best.picture, best.loss, step)


def evaluate(asked: Sequence[Asked]) -> list[Seen]:
    """Evaluate points of one `Asked.kind` by one pass of the network a size, and the backward pass of the losses' sum.

    The gradient of a sum is to each picture that of its own loss: nothing in the network mixes pictures. A picture that
    goes wrong leaves the others as they are.
    """
    first, count = asked[0].image, len(asked)
    if count == 1:
        variables = asked[0].point.view_as(first.coefficients).requires_grad_()
        starts = first.start
    else:
        points = torch.stack([one.point for one in asked])
        variables = points.view(count, *first.coefficients.shape[1:]).requires_grad_()  # (B, 3, H, W//2 + 1, 2)
        starts = torch.cat([one.image.start for one in asked])  # (B, 3, H, W)
    with torch.enable_grad():
        pictures = decode(variables, starts, first.scale)  # (B, 3, H, W)
    losses, slope = _look([one.objective for one in asked], pictures.detach().requires_grad_())
    (gradients,) = torch.autograd.grad(pictures, variables, slope)
    if count == 1:
        return [Seen(pictures.detach(), losses[0], losses[0].total.item(), gradients.flatten())]
    totals = torch.hstack([own.total for own in losses]).tolist()
    each = losses[0].each() if len(losses) < count else losses
    return [
        # Copies: a view would keep alive what belongs to all of them.
        Seen(picture.detach().clone(), own, loss, gradient.flatten().clone())
        for picture, own, loss, gradient in zip(
            torch.split(pictures, 1), each, totals, torch.split(gradients, 1), strict=True
        )
    ]


def _look(objectives: Sequence[Objective], pictures: Tensor) -> tuple[Sequence[Losses], Tensor]:
    """The losses of each picture, or of all in one, and the slope of their sum at the pictures, (B, 3, H, W).

    One size after another, so that the features of one only are in memory.
    """
    together = _is_quicker_at_once(pictures) and are_alike(objectives)
    found: list[Sequence[Losses]] = []
    slopes: list[Tensor] = []
    for here, shape in _sizes(objectives):
        with torch.enable_grad():
            shown = reduced(pictures, *shape) if shape else pictures
            if together:
                losses = [losses_of_all(here, shown)]
            else:
                losses = [own for own, _ in observe_each([(objective, {}) for objective in here], shown)]
            totals = [own.total for own in losses]
        slopes += torch.autograd.grad(totals, pictures, [torch.ones_like(total) for total in totals])
        found.append(losses)
    with torch.no_grad():
        means = [mean_losses(each) for each in zip(*found, strict=True)]
    return means, slopes[0] if len(slopes) == 1 else torch.stack(slopes).mean(0)


def _is_quicker_at_once(pictures: Tensor) -> bool:
    """Whether a term of all pictures at once takes less time than each by itself, which is rounded as it is alone."""
    return pictures.is_cuda


def _sizes(objectives: Sequence[Objective]) -> Iterator[tuple[Sequence[Objective], tuple[int, int] | None]]:
    """What is asked at the pictures' own size, and at each smaller one with its height and width."""
    yield objectives, None
    for smaller in zip(*(objective.smaller for objective in objectives), strict=True):
        yield [one.objective for one in smaller], smaller[0].shape


def alone(searching: Search[T]) -> T:
    """Carry a search out by itself."""
    try:
        asked = next(searching)
        while True:
            asked = searching.send(evaluate([asked])[0])
    except StopIteration as ended:
        found: T = ended.value
        return found
