"""Muon: steps along the nearest orthogonal matrix to the momentum, for matrices (Jordan et al. 2024).

torch brings one along, which orthogonalizes one matrix after the other in bfloat16. A processor without instructions
for that format spends as long on it as on the samples. This one takes matrices of equal shape together, in float32.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

# The polynomial of Jordan et al. and how often it is applied: singular values between 0.001 and 1 end at 0.7 to 1.2.
QUINTIC, ITERATIONS = (3.4445, -4.7750, 2.0315), 5
TINY = 1e-7


class Muon(Optimizer):
    """``B ← μ B + (1 - μ) g``, ``W ← W - r √max(1, rows/columns) · NS(μ B + (1 - μ) g)``, with Nesterov's look ahead.

    Args:
        matrices: (R, C) each.
        lr: the rate r.
        momentum: μ.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(list(matrices), {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step, by the gradients that the matrices have; no closure is called."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for matrix in group["params"]:
                alike[matrix.shape].append(matrix)
            for (rows, columns), matrices in alike.items():
                ahead = torch.stack([self._ahead(matrix, group["momentum"]) for matrix in matrices])
                rate = group["lr"] * math.sqrt(max(1.0, rows / columns))
                for matrix, update in zip(matrices, orthogonalized(ahead), strict=True):
                    matrix.sub_(update, alpha=rate)

    def _ahead(self, matrix: Tensor, momentum: float) -> Tensor:
        """Where the momentum will point, once the gradient is in it."""
        assert matrix.grad is not None  # of a step, each matrix has one
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(matrix.grad)
        state["momentum_buffer"].lerp_(matrix.grad, 1 - momentum)
        return matrix.grad.lerp(state["momentum_buffer"], momentum)


def orthogonalized(matrices: Tensor) -> Tensor:
    """About ``U Vᵀ`` of each of the matrices ``U S Vᵀ``, (N, R, C), by Newton and Schulz's iteration."""
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonalized(matrices.mT).mT
    a, b, c = QUINTIC
    x: Tensor = matrices / torch.linalg.matrix_norm(matrices, keepdim=True).clamp_min(TINY)
    for _ in range(ITERATIONS):
        gram = x @ x.mT  # (N, R, R)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x
