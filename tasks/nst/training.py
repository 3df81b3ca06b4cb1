"""The steps of a training: gradients of samples become better weights.

The convolutions' matrices are trained by `muon`, what is left by Adam. What counts in the end is the moving average of
the weights, which is ahead of them as long as the rates are high (Polyak, Juditsky 1992). Nothing here is drawn by
chance, so that a training that was stopped goes on as if it had not been.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from stylebatch.tasks.nst.any_style import AnyStyleNetwork
from stylebatch.tasks.nst.muon import Muon
from stylebatch.tasks.nst.trained_state import follow, resume, state_of

MATRIX_RATE, OTHER_RATE = 0.003, 3e-4
WARM_UP = 100  # steps over which the rates rise from zero, or a tenth of the training where that is shorter
STEADY = 0.5  # share of the training until which they stay there, before they fall along a cosine
LEAST = 0.03  # of the rates, at the end
LONGEST_GRADIENT = 5.0  # norm beyond which those that Adam takes are shortened; Muon looks at their direction alone
LONGEST_MEMORY = 0.998  # of the moving average, see `follow`


class Trainer:
    """The network with its optimizers, in the middle of a training of ``steps`` steps.

    Attributes:
        network: as it is now.
        average: the moving average of it, which is what has been learned.
        step: how many have been taken.
    """

    def __init__(self, network: AnyStyleNetwork, steps: int) -> None:
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(False)
        self.step = 0
        self._steps = steps
        matrices = [layer.weight for layer in network.normalized]
        # The last layer's is a picture's, and starts at zero; those that read the condition are no convolutions.
        chosen = set(map(id, matrices))
        self._others = [one for one in network.parameters() if id(one) not in chosen]
        self._parameters = [*matrices, *self._others]
        self._optimizers = [
            Muon(matrices, lr=MATRIX_RATE),
            torch.optim.Adam(self._others, lr=OTHER_RATE, betas=(0.9, 0.99)),
        ]

    def gradients(self, loss: Tensor) -> Sequence[Tensor]:
        """Of the network's parameters, for the loss of one sample. May be called by several threads at once."""
        return torch.autograd.grad(loss, self._parameters)

    def take(self, gradients: Sequence[Sequence[Tensor]]) -> None:
        """One step, by the gradients of some samples."""
        for parameter, *each in zip(self._parameters, *gradients, strict=True):
            parameter.grad = torch.stack(each).mean(0)
        nn.utils.clip_grad_norm_(self._others, LONGEST_GRADIENT)
        for optimizer, rate in zip(self._optimizers, (MATRIX_RATE, OTHER_RATE), strict=True):
            optimizer.param_groups[0]["lr"] = rate * self._pace()
            optimizer.step()
            optimizer.zero_grad()
        follow(self.average, self.network, self.step, LONGEST_MEMORY)
        self.step += 1

    def _pace(self) -> float:
        """The share of the rates at this step."""
        rising = min(1.0, (self.step + 1) / min(WARM_UP, max(1, self._steps // 10)))
        falling = max(0.0, (self.step / self._steps - STEADY) / (1 - STEADY))
        return rising * (LEAST + (1 - LEAST) * 0.5 * (1 + math.cos(math.pi * falling)))

    def state(self) -> dict[str, Tensor]:
        """Everything that a later `resume` needs, by name, as it is now."""
        return state_of({"network": self.network, "average": self.average}, self._optimizers)

    def resume(self, state: Mapping[str, Tensor], step: int) -> None:
        """Go on from what `state` gave after ``step`` steps of the same training.

        Raises:
            RuntimeError, KeyError: it is another network's.
        """
        resume(state, {"network": self.network, "average": self.average}, self._optimizers)
        self.step = step
