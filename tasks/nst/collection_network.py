"""The network that paints as a collection of paintings does, in one pass.

The same `transformation` as the network for any style, but the gains and shifts of its normalizations are its own:
what a collection has in common it has learned, and nothing is told to it. It begins as the network for any style that
was told the mean of the collection, and so paints before any step of a training.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from stylebatch.tasks.nst.any_style import AnyStyleNetwork
from stylebatch.tasks.nst.condition import MOMENTS
from stylebatch.tasks.nst.ground import STATISTICS, ground, statistics
from stylebatch.tasks.nst.transformation import Transformation, TransformationArchitecture


class CollectionNetwork(Transformation):
    """Paints photographs as one collection asks, or takes paintings back to photographs.

    Attributes:
        statistics: the mean of the `ground.statistics` of what it makes, (1, `STATISTICS`); no training changes them.
    """

    def __init__(self, architecture: TransformationArchitecture) -> None:
        super().__init__(architecture)
        self.architecture = architecture
        channels = sum(layer.shape[0] for layer in self.normalized)
        self.gains, self.shifts = nn.Parameter(torch.ones(1, channels)), nn.Parameter(torch.zeros(1, channels))
        self.statistics: Tensor
        self.register_buffer("statistics", torch.zeros(1, STATISTICS))

    @classmethod
    @torch.no_grad()
    def told(cls, network: AnyStyleNetwork, condition: Tensor) -> Self:
        """One that paints as a network for any style does which is told this ``condition`` (1, `condition.WIDTH`)."""
        a = network.architecture
        made = cls(TransformationArchitecture(a.outer, a.middle, a.trunk, a.blocks)).to(condition.device)
        moments, wanted = torch.split(condition, [MOMENTS, STATISTICS], 1)
        gains, shifts = network.modulation(moments)
        own = {"gains": gains, "shifts": shifts, "statistics": wanted}
        made.load_state_dict({name: own.get(name, network.state_dict().get(name)) for name in made.state_dict()})
        return made

    def forward(
        self,
        pictures: Tensor,
        dtype: torch.dtype = torch.float32,
        strip: int | None = None,
        strength: Tensor | None = None,
    ) -> Tensor:
        """Paint pictures (N, 3, H, W), RGB in [0, 1]; the outcome has the same shape and range.

        Args:
            dtype: of the features.
            strip: so many rows at a time, of a single picture and without gradients, where memory is short.
            strength: how far to go from a picture's own statistics to the collection's, and how much of the strokes to
                put on that ground, (N,), in [0, 1]; all unless given.
        """
        count = pictures.shape[0]
        wanted = self.statistics.expand(count, -1)
        if strength is not None:
            wanted = torch.lerp(statistics(pictures), wanted, strength.view(-1, 1))
        gains, shifts = self.gains.expand(count, -1), self.shifts.expand(count, -1)
        return self.put_on(ground(pictures, wanted), pictures, gains, shifts, dtype, strip, strength)
