"""The losses of a network and of the critic that tells what it makes from what is real, by least squares.

Mao et al., "Least Squares Generative Adversarial Networks" (2016, eq. 2, with the labels 1 for real and 0 for made),
which has a gradient too where a critic is sure. Here a critic has several heads, all of which count alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def takes_for(taken: Sequence[Tensor], wanted: float) -> Tensor:
    """``E[(D(·) - wanted)²]``: how far the values of heads, (N, 1, h, w) each, are from what pictures count as."""
    return torch.stack([(one - wanted).square().mean() for one in taken]).mean()


def critic_loss(of_real: Sequence[Tensor], of_made: Sequence[Tensor]) -> Tensor:
    """``½ E[(D(y) - 1)²] + ½ E[D(G(x))²]``."""
    return 0.5 * (takes_for(of_real, 1) + takes_for(of_made, 0))
