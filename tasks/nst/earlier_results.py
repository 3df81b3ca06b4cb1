"""A buffer of earlier results, so that a critic does not forget what a network made some steps ago.

Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial Training" (CVPR 2017, section
2.3), with the 50 pictures of Zhu et al. (2017, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from torch import Tensor

MOST = 50


class EarlierResults:
    """The last pictures that a network has made, with 8 bits a channel, as they would be written."""

    def __init__(self) -> None:
        self._held: list[Tensor] = []

    def exchange(self, made: Tensor, chance: Random) -> Tensor:
        """One picture for the critic: as often the new one as an earlier one, whose place the new one takes.

        Args:
            made: (1, 3, H, W), RGB in [0, 1], without gradients.

        Returns:
            (1, 3, h, w), rounded to 8 bits; the new one as long as there are fewer than `MOST`.
        """
        pixels = (255 * made).round().byte().contiguous()
        if len(self._held) < MOST:
            self._held.append(pixels)
        elif chance.random() < 0.5:
            place = chance.randrange(MOST)
            pixels, self._held[place] = self._held[place], pixels
        return pixels.float() / 255

    def state(self) -> dict[str, Tensor]:
        """The pictures by their places, for `resume`."""
        return {f"{place:03}": pixels.cpu() for place, pixels in enumerate(self._held)}

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Go on with the pictures that `state` gave."""
        self._held = [state[place] for place in sorted(state)]
