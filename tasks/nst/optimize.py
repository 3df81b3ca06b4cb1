"""The loop: decode, evaluate, differentiate, step, and remember the best picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from stylebatch.tasks.nst.image import FourierImage
from stylebatch.tasks.nst.losses import Losses


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


def optimize(
    objective: Callable[[Tensor], Losses],
    start: Tensor,
    optimizer: Optimizer,
    steps: int,
    on_step: Callable[[int, Losses], None] = lambda step, losses: None,
    stalled: Callable[[float], bool] = lambda best: False,
) -> Optimized:
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
        variables = point.view_as(image.coefficients).requires_grad_()
        with torch.enable_grad():
            picture = image.decode(variables)  # (1, 3, H, W)
            losses = objective(picture)
            loss = losses.total
        (gradient,) = torch.autograd.grad(loss, variables)
        point = point.detach()
        value = loss.item()
        if value < best.loss:
            best = Optimized(picture.detach(), value, step)
        on_step(step, losses)
        if stalled(best.loss):
            break
        point = optimizer.step(point, value, gradient.flatten())
    return Optimized(best.picture, best.loss, step)
