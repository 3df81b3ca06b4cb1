"""Adam (Kingma, Ba 2015) behind the same interface as L-BFGS; torch's own implementation does the work."""

from __future__ import annotations

import torch
from torch import Tensor


class Adam:
    """The optimizer: steps of about ``learning_rate`` in every variable, whatever the gradient's size."""

    def __init__(self, learning_rate: float) -> None:
        self._learning_rate = learning_rate
        self._adam: torch.optim.Adam | None = None
        self._variables = torch.empty(0)

    def step(self, point: Tensor, loss: float, gradient: Tensor) -> Tensor:
        """The next point to evaluate, given the loss and its gradient at this one: all flat (N,), none changed."""
        if self._adam is None:
            self._variables = point.clone()
            self._adam = torch.optim.Adam([self._variables], lr=self._learning_rate)
        self._variables.grad = gradient
        self._adam.step()
        return self._variables.clone()
