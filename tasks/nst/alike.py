"""The losses of several pictures whose objectives differ in their pictures only, each term of all of them at once.

A term of one small picture is thirty kernels that take a GPU longer to begin than to carry out. For many pictures they
are no more, and each is as much larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, vmap

from stylebatch.tasks.nst.losses import Losses, Objective, gram_matrices, total_variation


def are_alike(objectives: Sequence[Objective]) -> bool:
    """Whether several objectives of one encoder and one view differ in their pictures only, and know no regions."""
    first = objectives[0]
    return len(objectives) > 1 and all(
        one.form is first.form and one.weights == first.weights and one.regions is None for one in objectives
    )


def losses_of_all(objectives: Sequence[Objective], pictures: Tensor) -> Losses:
    """The losses of pictures (N, 3, H, W), RGB in [0, 1], by objectives that are alike: each term (N,), float32."""
    first, form = objectives[0], objectives[0].form

    def at(layer: str, features: Tensor) -> tuple[Tensor | None, Tensor | None]:
        content = style = None
        if layer in first.weights.content_layers:
            wanted = torch.cat([one.content[layer] for one in objectives])  # (N, C, h, w)
            content = first.content_weight(layer) * form.content_each(form.view(features), wanted)
        if layer in first.weights.style_layers:
            wanted = torch.stack([one.style[layer] for one in objectives])  # (N, C, C)
            weight = first.style_weight(layer, features.shape[1])
            style = weight * form.style_each(gram_matrices(features), wanted)
        return content, style

    recomputed = max(one.recomputed for one in objectives)
    looks = {layer: partial(at, layer) for layer in first.weights.layers}
    distances = first.encoder(first.view(pictures), looks, recomputed)
    content = torch.stack([distances[layer][0] for layer in first.weights.content_layers]).sum(0)
    style = {layer: distances[layer][1] for layer in first.weights.style_layers}
    tv = pictures.new_zeros(len(objectives))
    if first.weights.tv:
        tv = first.weights.tv * vmap(partial(total_variation, power=first.weights.tv_power))(pictures)
    return Losses(content, style, tv)
