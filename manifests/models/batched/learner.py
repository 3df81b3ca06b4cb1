"""One step of a training: a batch is painted, looked at, and learned from. It asks the device for nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from batched.network import BatchedNetwork
from batched.optimizer import Optimizer
from batched.samples import Samples
from stylebatch.tasks.nst.criterion import Criterion, Terms
from stylebatch.tasks.nst.encoder import Encoder


class Learner:
    """A network that learns from samples.

    Args:
        encoder: what looks at the pictures, in the number format that the network's features have too.
    """

    def __init__(
        self, network: BatchedNetwork, optimizer: Optimizer, samples: Samples, encoder: Encoder, criterion: Criterion
    ) -> None:
        self._network, self._optimizer, self._samples = network, optimizer, samples
        self._encoder, self._criterion = encoder, criterion
        self._sums = torch.zeros(3, device=encoder.mean.device)

    def step(self, places: Tensor, side: int) -> None:
        """Learn from the samples at ``places`` (2, `NUMBERS`, N), on the device."""
        sample = self._samples.at(places, side)
        painted = self._network(sample.content, sample.style.condition, self._encoder.dtype)
        terms = self._criterion.terms(self._encoder, painted, sample.arrangement, sample.style)
        self._optimizer.take(torch.autograd.grad(self._criterion.total(terms), self._optimizer.parameters))
        each = torch.stack([terms.content, terms.style, terms.tv]).detach()
        self._sums.add_(each.nan_to_num(0.0, 0.0, 0.0))

    def means(self, steps: int) -> Terms:
        """The terms' means over the steps since it was last asked, as many as these, on the processor."""
        content, style, tv = (self._sums / steps).cpu()
        self._sums.zero_()
        return Terms(content, style, tv)
