"""How far a picture's Gram matrices are from a style's, relative to the style's own: without weights or units."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def relative_distance(gram: Tensor, style: Tensor) -> Tensor:
    """``‖G - S‖ / ‖S‖`` with the Frobenius norm, of Gram matrices (…, C, C) of Gatys et al. (2016, eq. 3).

    A layer whose features are large and a style that is loud count as any other does.

    Returns:
        (…): 0 for equal matrices, where the gradient is 0 too, and 1 where those of the picture are zero; there is no
        upper limit.
    """
    norms = torch.linalg.vector_norm(style, dim=(-2, -1)).clamp_min(torch.finfo(style.dtype).tiny)
    distance: Tensor = torch.linalg.vector_norm(gram - style, dim=(-2, -1)) / norms
    return distance


def style_distance(grams: Mapping[str, Tensor], style: Mapping[str, Tensor]) -> float:
    """``1/L Σ_l ‖G_l - S_l‖ / ‖S_l‖``, over the L layers of ``style``; each matrix is (C, C).

    Returns:
        0 for equal Gram matrices, 1 where those of the picture are zero; there is no upper limit.
    """
    return torch.stack([relative_distance(grams[layer], gram) for layer, gram in style.items()]).mean().item()
