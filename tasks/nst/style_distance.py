"""How far a picture's Gram matrices are from a style's, relative to the style's own: without weights or units."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def style_distance(grams: Mapping[str, Tensor], style: Mapping[str, Tensor]) -> float:
    """``1/L Σ_l ‖G_l - S_l‖ / ‖S_l‖`` with the Frobenius norm, over the L layers of ``style``.

    The matrices are those of Gatys et al. (2016, eq. 3), each (C, C); dividing by the style's norm lets every layer and
    every style count alike.

    Returns:
        0 for equal Gram matrices, 1 where those of the picture are zero; there is no upper limit.
    """
    relative = [torch.linalg.norm(grams[layer] - gram) / torch.linalg.norm(gram) for layer, gram in style.items()]
    return torch.stack(relative).mean().item()
