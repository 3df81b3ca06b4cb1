"""Muon and Adam as a CUDA graph can hold them: their rates, and whether a step is taken, are the device's to know.

As in `stylebatch.tasks.nst.training`, Muon takes the convolutions' matrices and Adam what is left, and
the moving average of the weights is what has been learned.  A graph does with the same
memory and the same numbers what it did when it was captured.  So a rate that changes is a tensor
that is filled before each step, and a batch without finite gradients is not left out, but its
gradients are put to zero.
"""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from batched.network import BatchedNetwork
from stylebatch.tasks.nst.muon import orthogonalized
from stylebatch.tasks.nst.training import LONGEST_GRADIENT, MATRIX_RATE, OTHER_RATE

WARM_UP = 200  # steps over which the rates rise from zero
STEADY = 0.45  # share of the training until which they stay there, before they fall along a cosine
LEAST = 0.02  # of the rates, at the end
MOMENTUM = 0.95  # of Muon
MEMORY = 0.9985  # of the moving average


class Optimizer:
    """Steps of a network by its gradients.

    Args:
        rate: Muon's; Adam's is the tenth of it, as in the product.

    Attributes:
        average: the moving average of the network, which is what has been learned.
        parameters: of the network, in the order in which `take` is given their gradients.
        left_out: how many batches had no finite gradients, a scalar on the device.
    """

    def __init__(self, network: BatchedNetwork, rate: float) -> None:
        self.average = copy.deepcopy(network).requires_grad_(False)
        self._network, self._rate, self._step = network, rate, 0
        self._matrices = [layer.weight for layer in network.normalized]
        chosen = set(map(id, self._matrices))
        self._others = [one for one in network.parameters() if id(one) not in chosen]
        self.parameters = [*self._matrices, *self._others]
        device = network.told_mean.device
        self.left_out, self._matrix_rate, self._other_rate = (torch.zeros((), device=device) for _ in range(3))
        self._alike: dict[torch.Size, list[int]] = defaultdict(list)
        for number, matrix in enumerate(self._matrices):
            self._alike[matrix.shape].append(number)
        self._momenta = {
            shape: torch.zeros(len(numbers), *shape, device=device) for shape, numbers in self._alike.items()
        }
        on_gpu = device.type == "cuda"
        self._adam = torch.optim.Adam(
            self._others, lr=self._other_rate, betas=(0.9, 0.99), capturable=on_gpu, foreach=on_gpu
        )

    def set_pace(self, done: float) -> None:
        """Set the rates of the next step, by the share of the training that is done."""
        rising = min(1.0, (self._step + 1) / WARM_UP)
        falling = min(1.0, max(0.0, (done - STEADY) / (1 - STEADY)))
        rate = self._rate * rising * (LEAST + (1 - LEAST) * 0.5 * (1 + math.cos(math.pi * falling)))
        self._matrix_rate.fill_(rate)
        self._other_rate.fill_(rate * OTHER_RATE / MATRIX_RATE)
        self._step += 1

    @torch.no_grad()
    def take(self, gradients: Sequence[Tensor]) -> None:
        """One step, at the rates that are set. Where gradients are no finite numbers, all count as zero."""
        is_finite = torch.isfinite(_norm(gradients))
        self.left_out.add_(~is_finite)
        gradients = [torch.where(is_finite, one, torch.zeros_like(one)) for one in gradients]
        self._take_matrices(gradients[: len(self._matrices)])
        self._take_others(gradients[len(self._matrices) :])
        torch._foreach_lerp_(list(self.average.parameters()), list(self._network.parameters()), 1 - MEMORY)

    def _take_matrices(self, gradients: Sequence[Tensor]) -> None:
        """As `muon.Muon` does."""
        for shape, numbers in self._alike.items():
            new, momentum = torch.stack([gradients[number] for number in numbers]), self._momenta[shape]
            momentum.lerp_(new, 1 - MOMENTUM)
            rate = self._matrix_rate * math.sqrt(max(1.0, shape[0] / shape[1]))
            updates = rate * orthogonalized(new.lerp(momentum, MOMENTUM))
            torch._foreach_sub_([self._matrices[number] for number in numbers], list(updates.unbind()))

    def _take_others(self, gradients: Sequence[Tensor]) -> None:
        shorter = (LONGEST_GRADIENT / (_norm(gradients) + 1e-6)).clamp(max=1.0)
        for parameter, gradient in zip(self._others, torch._foreach_mul(list(gradients), shorter), strict=True):
            parameter.grad = gradient
        self._adam.step()


def _norm(tensors: Sequence[Tensor]) -> Tensor:
    """Of all of them together, a scalar."""
    return torch.stack(torch._foreach_norm(list(tensors))).norm()
