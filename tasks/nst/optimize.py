"""The loop: ask for an evaluation, step, and remember the best picture.

It asks, and is told: what is asked for can be evaluated by itself, or in `company`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor

from stylebatch.tasks.nst.evaluation import Asked, Seen
from stylebatch.tasks.nst.graphs import Evaluator
from stylebatch.tasks.nst.image import FourierImage
from stylebatch.tasks.nst.losses import Losses, Objective

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


def alone(searching: Search[T]) -> T:
    """Carry a search out by itself."""
    with closing(Evaluator()) as evaluator:
        try:
            asked = next(searching)
            while True:
                asked = searching.send(evaluator.evaluate([asked])[0])
        except StopIteration as ended:
            found: T = ended.value
            return found
