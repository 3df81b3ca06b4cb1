"""The network for any style with a batch in one call where the product goes from picture to picture.

The weights are the same, and so is what it paints, but for rounding.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from batched.roots import transport_by_iteration
from stylebatch.tasks.nst.any_style import AnyStyleNetwork
from stylebatch.tasks.nst.ground import ground
from stylebatch.tasks.nst.layer import EPSILON, Layer, Modulation


class BatchedLayer(Layer):
    """A layer that normalizes all pictures of a batch together.

    Instance normalization takes the statistics of each channel of each picture.  Batch normalization takes those of
    each channel over all pictures.  Of one picture with N · C channels both are the same, and batch normalization has
    one kernel for it, gains and shifts included, which would else be a kernel a picture.
    """

    def forward(self, x: Tensor, modulation: Modulation | None = None) -> Tensor:
        """(N, C_in, h, w) -> (N, C_out, h', w'), with a modulation where the layer normalizes."""
        margin = self.kernel // 2
        x = self.convolve(self.enlarged(x), margin, margin)
        if modulation is None:
            return self.finish(x)
        gain, shift = (one.reshape(-1) for one in modulation)  # (N · C,)
        together = x.reshape(1, -1, *x.shape[2:])  # (1, N · C, h, w)
        normal = F.batch_norm(together, None, None, gain, shift, training=True, eps=EPSILON)
        return self.finish(normal).view(x.shape)


class BatchedNetwork(AnyStyleNetwork):
    """The network as it is trained: what it learns, an `AnyStyleNetwork` of the same architecture takes as it is."""

    layer = BatchedLayer

    def under(self, pictures: Tensor, statistics: Tensor) -> Tensor:
        """The ground, which a CUDA graph can hold."""
        return ground(pictures, statistics, transport_by_iteration)
