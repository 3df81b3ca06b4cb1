"""Limited-memory BFGS without a line search: one evaluation of the objective a step.

Liu, Nocedal, "On the limited memory BFGS method for large scale optimization" (1989).
"""

from __future__ import annotations

import math

from torch import Tensor

from stylebatch.tasks.nst.inverse_hessian import InverseHessian, inverse_hessian

# A step without a line search may rise a little and still be on its way; one that more than doubles the best loss so
# far has left the region in which the curvature was learned.
DIVERGED = 2.0
# Root mean square of the first step, in the variables' units. Measured on scaled Fourier coefficients of pictures in
# [0, 1]: a tenth of it costs ten more steps, four times as much overshoots.
FIRST_STEP = 0.005


class LBFGS:
    """The optimizer: ``x ← x - H g``, with recovery from divergence.

    Where the loss is not finite, or more than `DIVERGED` times the best one, the next step starts again from the best
    point with an empty history and half the step length; each good step then gives a tenth of the length back.

    Args:
        history: steps whose curvature is remembered.
    """

    def __init__(self, history: int) -> None:
        self._history = history
        self._hessian: InverseHessian | None = None
        self._previous: tuple[Tensor, Tensor] | None = None
        self._best: tuple[float, Tensor, Tensor] | None = None
        self._first_step = FIRST_STEP
        self._damping = 1.0

    def step(self, point: Tensor, loss: float, gradient: Tensor) -> Tensor:
        """The next point to evaluate, given the loss and its gradient at this one: all flat (N,), none changed."""
        if self._hessian is None:
            self._hessian = inverse_hessian(self._history, point.device)
        if self._best is None or loss < self._best[0]:
            self._best = loss, point, gradient
        if not loss <= DIVERGED * self._best[0]:  # so written that NaN counts as divergence
            _, point, gradient = self._best
            self._hessian = inverse_hessian(self._history, point.device)
            self._first_step = FIRST_STEP
            self._damping /= 2
        else:
            self._damping = min(1.0, 1.1 * self._damping)
            if self._previous is not None:
                self._hessian.update(point - self._previous[0], gradient - self._previous[1])
        self._previous = point, gradient
        direction = self._hessian.times(gradient)
        if direction is None:
            # Down the gradient, and twice as far each time until a step shows positive curvature.
            length = self._first_step * math.sqrt(gradient.numel())
            self._first_step *= 2
            direction = gradient * (length / gradient.norm().clamp_min(1e-30))
        return point - self._damping * direction
