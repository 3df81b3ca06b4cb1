"""The inverse Hessian that the last steps of L-BFGS imply, times a gradient: in the form that suits a device.

Both forms are algorithm 7.4 of Nocedal, Wright, "Numerical Optimization" (2006), the two-loop recursion. On a processor
it is carried out as it is written. On a GPU its steps, nine for each pair that is remembered, are too small to be
worth a kernel each; there it is a product before and a product behind what little is done on the processor.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

import torch
from torch import Tensor

# Elements that are added up in float32, so that one product of matrices is as many as a GPU has cores for; the sums
# are added up in float64.
PIECE = 1024


class InverseHessian(Protocol):
    """What the optimizer asks of it."""

    def update(self, step: Tensor, change: Tensor) -> None:
        """Take in one step ``s`` and the change ``y`` of the gradient along it, both flat (N,).

        A pair without positive curvature is left out, since it would make the approximation indefinite.
        """

    def times(self, gradient: Tensor) -> Tensor | None:
        """``H g`` for a flat gradient ``g`` (N,), or nothing as long as no curvature is known."""


def inverse_hessian(history: int, device: torch.device) -> InverseHessian:
    """One that remembers ``history`` steps, for variables on ``device``."""
    return VectorFree(history) if device.type == "cuda" else TwoLoops(history)


class TwoLoops:
    """The recursion as it is written: an `InverseHessian`.

    Memory is twice ``history`` copies of the variables, in two blocks: as single tensors they would lie between the
    network's short-lived ones, and keep the allocator from using that room again.
    """

    def __init__(self, history: int) -> None:
        self._history = history
        self._steps = self._changes = torch.empty(0)  # (history, N) once N is known
        self._pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=history)
        self._taken = 0

    def update(self, step: Tensor, change: Tensor) -> None:
        """See `InverseHessian`."""
        curvature = step @ change
        if curvature <= torch.finfo(step.dtype).eps * step.norm() * change.norm():
            return
        if not self._taken:
            self._steps, self._changes = (step.new_empty(self._history, step.numel()) for _ in range(2))
        row = self._taken % self._history  # that of the oldest pair, once all are in use
        self._taken += 1
        self._steps[row], self._changes[row] = step, change
        self._pairs.append((self._steps[row], self._changes[row], 1 / curvature))

    def times(self, gradient: Tensor) -> Tensor | None:
        """See `InverseHessian`."""
        if not self._pairs:
            return None
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


class VectorFree:
    """The recursion over inner products: an `InverseHessian` that is a dozen kernels however much it remembers.

    ``H g`` is a sum of the remembered steps and changes and of ``g``, whose factors follow from the inner products of
    these vectors (Chen, Wang, Zhou, "Large-scale L-BFGS using MapReduce", NIPS 2014). Only those with the three latest
    vectors are new. They are found by one product of matrices, and brought to the processor, which is waited for once.

    The factors are those of the recursion, whose loops solve two triangular systems (Byrd, Nocedal, Schnabel,
    "Representations of quasi-Newton matrices and their use in limited memory methods", 1994, theorem 2.2):
    ``R α = Sᵀg`` and ``Rᵀ β = D α + γ (YᵀY α - Yᵀg)``, with ``R`` the upper triangle of ``SᵀY``, ``D`` its diagonal
    and ``γ = sᵀy / yᵀy`` of the latest pair; then ``H g = γ g + S β - γ Y α``.

    Memory is that of `TwoLoops` and three more copies of the variables, in one block.
    """

    def __init__(self, history: int) -> None:
        self._history = history
        # Once N is known, (3 + 2·history, N and zeros up to whole pieces): the latest step, change and gradient, and
        # behind them the pairs that are remembered, of which the latest takes the place of the oldest.
        self._rows = torch.empty(0)
        self._taken = 0
        self._is_new = False  # whether the latest step and change are still to be remembered
        # Of the pairs that are remembered, from the oldest on: R⁻¹, D and YᵀY, float64, on the processor.
        self._inverse = self._among = torch.empty(0, 0, dtype=torch.float64)
        self._curvatures = torch.empty(0, dtype=torch.float64)

    def update(self, step: Tensor, change: Tensor) -> None:
        """See `InverseHessian`."""
        if self._is_new:
            self._look()
        if not self._rows.numel():
            self._rows = step.new_zeros(3 + 2 * self._history, PIECE * math.ceil(step.numel() / PIECE))
        self._rows[0, : step.numel()], self._rows[1, : step.numel()] = step, change
        self._is_new = True

    def times(self, gradient: Tensor) -> Tensor | None:
        """See `InverseHessian`."""
        if not self._taken and not self._is_new:
            return None
        self._rows[2, : gradient.numel()] = gradient
        products = self._look()
        if not self._taken:
            return None
        factors = self._factors(products[:, 0, 2], products[:, 1, 2])
        return factors.to(self._rows, non_blocking=True) @ self._rows[2 : 2 + len(factors), : gradient.numel()]

    def _look(self) -> Tensor:
        """Remember the latest pair, unless it has no positive curvature.

        Returns:
            The inner products of all pairs, from the oldest on, with the latest step, change and gradient:
            (known, 2, 3), float64, on the processor.
        """
        known = len(self._curvatures)
        pieces = self._rows[: 3 + 2 * known].view(3 + 2 * known, -1, PIECE).transpose(0, 1)
        products = (pieces @ pieces[:, :3].mT).sum(0, dtype=torch.float64).cpu()  # (3 + 2·known, 3)
        place = self._oldest
        pairs = torch.cat([products[3 + 2 * place :], products[3 : 3 + 2 * place]]).view(-1, 2, 3)
        if self._is_new:
            self._is_new = False
            return self._remember(products[:2], pairs)
        return pairs

    @property
    def _oldest(self) -> int:
        """The place of the oldest pair; before all are in use, of the next."""
        return self._taken % self._history

    def _remember(self, latest: Tensor, pairs: Tensor) -> Tensor:
        """Put the latest pair behind the ``pairs`` (known, 2, 3), from the oldest on, and in the place of the oldest.

        Args:
            latest: (2, 3), see `_look`.
        """
        (length, curvature, _), (_, change_length, _) = latest.tolist()  # the lengths are squared
        if curvature <= torch.finfo(self._rows.dtype).eps * math.sqrt(length * change_length):
            return pairs
        place, kept = 3 + 2 * self._oldest, min(len(pairs), self._history - 1)
        self._rows[place : place + 2] = self._rows[:2]
        self._taken += 1
        pairs = torch.cat([pairs[len(pairs) - kept :], latest[None]])
        steps, changes = pairs[:, :, 1].unbind(1)  # (kept + 1,) each
        inverse, among = self._inverse.new_zeros(2, kept + 1, kept + 1)
        if kept:
            inverse[:-1, :-1], among[:-1, :-1] = self._inverse[-kept:, -kept:], self._among[-kept:, -kept:]
        inverse[:-1, -1] = inverse[:-1, :-1] @ steps[:-1] / -curvature
        inverse[-1, -1] = 1 / curvature
        among[-1] = among[:, -1] = changes
        self._inverse, self._among = inverse, among
        self._curvatures = torch.cat([self._curvatures[len(self._curvatures) - kept :], steps[-1:]])
        return pairs

    def _factors(self, by_steps: Tensor, by_changes: Tensor) -> Tensor:
        """By what the gradient and each row behind it counts in ``H g``: (1 + 2·known,), float64.

        Args:
            by_steps, by_changes: ``Sᵀg`` and ``Yᵀg``, (known,) each, from the oldest pair on.
        """
        latest = self._curvatures[-1:] / self._among[-1, -1:]
        alpha = self._inverse @ by_steps
        beta = self._inverse.T @ (self._curvatures * alpha + latest * (self._among @ alpha - by_changes))
        pairs = torch.stack([beta, -latest * alpha], 1).flatten()
        newer = 2 * self._oldest  # numbers of those that have the places before the oldest
        return torch.cat([latest, pairs[len(pairs) - newer :], pairs[: len(pairs) - newer]])
