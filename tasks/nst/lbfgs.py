"""Limited-memory BFGS without a line search: one evaluation of the objective a step.

Liu, Nocedal, "On the limited memory BFGS method for large scale optimization" (1989); the two-loop recursion is
algorithm 7.4 of Nocedal, Wright, "Numerical Optimization" (2006).
"""

from __future__ import annotations

import math
from collections import deque

import torch
from torch import Tensor

# A step without a line search may rise a little and still be on its way; one that more than doubles the best loss so
# far has left the region in which the curvature was learned.
DIVERGED = 2.0
# Root mean square of the first step, in the variables' units. Measured on scaled Fourier coefficients of pictures in
# [0, 1]: a tenth of it costs ten more steps, four times as much overshoots.
FIRST_STEP = 0.005


class InverseHessian:
    """The inverse Hessian that the last ``history`` steps imply.

    Memory is twice ``history`` copies of the variables, in two blocks: as single tensors they would lie between the
    network's short-lived ones, and keep the allocator from using that room again.
    """

    def __init__(self, history: int) -> None:
        self._history = history
        self._steps = self._changes = torch.empty(0)  # (history, N) once N is known
        self._pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=history)
        self._taken = 0

    @property
    def empty(self) -> bool:
        """Whether no curvature is known yet."""
        return not self._pairs

    def update(self, step: Tensor, change: Tensor) -> None:
        """Take in one step ``s`` and the change ``y`` of the gradient along it, both flat (N,).

        A pair without positive curvature is left out, since it would make the approximation indefinite.
        """
        curvature = step @ change
        if curvature <= torch.finfo(step.dtype).eps * step.norm() * change.norm():
            return
        if not self._taken:
            self._steps, self._changes = (step.new_empty(self._history, step.numel()) for _ in range(2))
        row = self._taken % self._history  # that of the oldest pair, once all are in use
        self._taken += 1
        self._steps[row], self._changes[row] = step, change
        self._pairs.append((self._steps[row], self._changes[row], 1 / curvature))

    def times(self, gradient: Tensor) -> Tensor:
        """``H g`` for a flat gradient ``g`` (N,); at least one step must have been taken in."""
        q = gradient.clone()
        factors = []
        for step, change, inverse in reversed(self._pairs):
            factor = inverse * (step @ q)
            q.sub_(factor * change)
            factors.append(factor)
        _, change, inverse = self._pairs[-1]
        q.div_(inverse * (change @ change))
        for (step, change, inverse), factor in zip(self._pairs, reversed(factors), strict=True):
            q.add_((factor - inverse * (change @ q)) * step)
        return q


class LBFGS:
    """The optimizer: ``x ← x - H g``, with recovery from divergence.

    Where the loss is not finite, or more than `DIVERGED` times the best one, the next step starts again from the best
    point with an empty history and half the step length; each good step then gives a tenth of the length back.

    Args:
        history: steps whose curvature is remembered.
    """

    def __init__(self, history: int) -> None:
        self._history = history
        self._hessian = InverseHessian(history)
        self._previous: tuple[Tensor, Tensor] | None = None
        self._best: tuple[float, Tensor, Tensor] | None = None
        self._first_step = FIRST_STEP
        self._damping = 1.0

    def step(self, point: Tensor, loss: float, gradient: Tensor) -> Tensor:
        """The next point to evaluate, given the loss and its gradient at this one: all flat (N,), none changed."""
        if self._best is None or loss < self._best[0]:
            self._best = loss, point, gradient
        if not loss <= DIVERGED * self._best[0]:  # so written that NaN counts as divergence
            _, point, gradient = self._best
            self._hessian = InverseHessian(self._history)
            self._first_step = FIRST_STEP
            self._damping /= 2
        else:
            self._damping = min(1.0, 1.1 * self._damping)
            if self._previous is not None:
                self._hessian.update(point - self._previous[0], gradient - self._previous[1])
        self._previous = point, gradient
        if self._hessian.empty:
            # Down the gradient, and twice as far each time until a step shows positive curvature.
            length = self._first_step * math.sqrt(gradient.numel())
            self._first_step *= 2
            direction: Tensor = gradient * (length / gradient.norm().clamp_min(1e-30))
        else:
            direction = self._hessian.times(gradient)
        return point - self._damping * direction
