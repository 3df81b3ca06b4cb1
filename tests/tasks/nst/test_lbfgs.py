"""L-BFGS: converges where theory says it does, and comes back from divergence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from stylebatch.tasks.nst.adam import Adam
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.optimize import Optimizer


def minimize(
    function: Callable[[Tensor], Tensor], start: Tensor, optimizer: Optimizer, steps: int
) -> tuple[Tensor, list[float]]:
    point, losses = start, []
    for _ in range(steps):
        variables = point.clone().requires_grad_()
        loss = function(variables)
        (gradient,) = torch.autograd.grad(loss, variables)
        losses.append(loss.item())
        point = optimizer.step(point, loss.item(), gradient)
    return point, losses


def test_an_ill_conditioned_bowl_is_solved() -> None:
    scale = torch.logspace(0, 3, 30)
    point, losses = minimize(lambda x: (scale * (x - 1) ** 2).sum(), torch.zeros(30), LBFGS(10), 150)
    assert losses[-1] < 1e-6 * losses[0]
    torch.testing.assert_close(point, torch.ones(30), rtol=0, atol=1e-2)


def test_history_helps() -> None:
    scale = torch.logspace(0, 3, 30)
    lows = [
        min(minimize(lambda x: (scale * (x - 1) ** 2).sum(), torch.zeros(30), LBFGS(history), 60)[1])
        for history in (1, 20)
    ]
    assert lows[1] < 0.1 * lows[0]


def test_divergence_is_recovered_from() -> None:
    """A narrow valley in a steep wall: full steps leave it for good, and a gradient of zero waits outside."""

    def wall(x: Tensor) -> Tensor:
        inside = x.abs() < 1
        return torch.where(inside, torch.cosh(8 * x), 1e4 + 0 * x).sum()

    start = torch.full((4,), 0.9)
    _, losses = minimize(wall, start, LBFGS(10), 120)
    assert min(losses) == pytest.approx(4, rel=0.05)


def test_not_a_number_is_recovered_from() -> None:
    _, losses = minimize(lambda x: x.sqrt().sum(), torch.full((3,), 0.5), LBFGS(10), 60)  # NaN below zero
    finite = [loss for loss in losses if loss == loss]
    assert len(finite) < len(losses), "zero was never overstepped, and the test shows nothing"
    assert min(finite) < 0.2 * losses[0]


def test_adam_goes_down_and_leaves_its_input_alone() -> None:
    start = torch.zeros(5)
    _, losses = minimize(lambda x: ((x - 1) ** 2).sum(), start, Adam(0.1), 60)
    assert losses[-1] < 0.05 * losses[0]
    assert torch.equal(start, torch.zeros(5))
