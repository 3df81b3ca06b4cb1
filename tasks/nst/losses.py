"""The terms of the objective of Gatys et al. (2016), and their sum. `forms` has the distances that they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import Form
from stylebatch.tasks.nst.guidance import Region, guided_distance
from stylebatch.tasks.nst.reduced import reduced

T = TypeVar("T")


class _Gram(torch.autograd.Function):
    """``G = Rᵀ R / n`` of rows (…, n, C), with the gradient ``2 R Ḡ / n`` in one matrix product.

    Autograd would take two products, since it does not know that both factors are the same tensor, nor that the
    gradient of a loss over a symmetric matrix is symmetric.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        gram: Tensor = rows.mT @ rows  # (…, C, C)
        return gram.float() / rows.shape[-2]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        rows: Tensor = ctx.saved_tensors[0]
        symmetric = (gradients[0] + gradients[0].mT) / rows.shape[-2]  # (…, C, C)
        gradient: Tensor = rows @ symmetric.to(rows.dtype)  # (…, n, C)
        return gradient


def gram_matrix(features: Tensor) -> Tensor:
    """``G = F Fᵀ / (H·W)`` (Gatys et al. 2016, eq. 3, averaged over the positions).

    Args:
        features: (1, C, H, W), any float type.

    Returns:
        (C, C), float32, symmetric; its gradient is symmetric too.
    """
    rows = features.permute(0, 2, 3, 1).flatten(0, 2)  # (H·W, C), no copy where channels come last
    gram: Tensor = _Gram.apply(rows)  # type: ignore[no-untyped-call]
    return gram


def gram_matrices(features: Tensor) -> Tensor:
    """`gram_matrix` of each of several pictures: (N, C, H, W) -> (N, C, C), float32."""
    rows = features.permute(0, 2, 3, 1).flatten(1, 2)  # (N, H·W, C), no copy where channels come last
    grams: Tensor = _Gram.apply(rows)  # type: ignore[no-untyped-call]
    return grams


def total_variation(picture: Tensor, power: int = 1) -> Tensor:
    """Mean of ``|∂x|^power`` plus mean of ``|∂y|^power`` over neighbouring pixels, in units of 0–255.

    Args:
        picture: (1, 3, H, W) in [0, 1].
        power: 1 keeps edges (Rudin, Osher, Fatemi 1992, anisotropic); 2 smooths them, as Johnson et al. (2016) do.
    """
    across = 255 * (picture[..., :, 1:] - picture[..., :, :-1])
    down = 255 * (picture[..., 1:, :] - picture[..., :-1, :])
    return across.abs().pow(power).mean() + down.abs().pow(power).mean()


@dataclass(frozen=True)
class Weights:
    """The weights of the objective: one for each term, and within content and style one for each layer.

    The form says what a layer's weight is relative to: classic, ``style_layers`` are factors on ``w_l = 1/C_l²``, with
    which every layer counts alike whatever its width; balanced, shares of their sum, so that more layers weigh no more.
    """

    content: float
    style: float
    tv: float
    content_layers: Mapping[str, float]
    style_layers: Mapping[str, float]
    tv_power: int = 1

    @property
    def layers(self) -> frozenset[str]:
        """Every layer that a loss looks at."""
        return frozenset(self.content_layers) | frozenset(self.style_layers)


@dataclass(frozen=True)
class Losses:
    """The terms of the objective at one picture, each with its weight: scalars, float32; or at several, (N,) each."""

    content: Tensor
    style: Mapping[str, Tensor]
    tv: Tensor

    @property
    def total(self) -> Tensor:
        """``content + Σ_l style_l + tv``."""
        return torch.stack([self.content, *self.style.values(), self.tv]).sum(0)

    @property
    def terms(self) -> Tensor:
        """``content``, ``tv`` and the style at each layer: (terms,), or of several pictures (N, terms)."""
        return torch.stack([self.content, self.tv, *self.style.values()], -1)

    @staticmethod
    def of(terms: Tensor, layers: Iterable[str]) -> Losses:
        """Those whose `terms` (terms,) these are, with the style at ``layers``."""
        content, tv, *style = terms.unbind()
        return Losses(content, dict(zip(layers, style, strict=True)), tv)


def mean_losses(each: Sequence[Losses]) -> Losses:
    """The mean of each term over the sizes that a picture is looked at in."""
    if len(each) == 1:
        return each[0]
    style = {layer: torch.stack([one.style[layer] for one in each]).mean(0) for layer in each[0].style}
    content, tv = (torch.stack([getattr(one, term) for one in each]).mean(0) for term in ("content", "tv"))
    return Losses(content, style, tv)


def content_targets(encoder: Encoder, picture: Tensor, layers: Iterable[str], form: Form) -> dict[str, Tensor]:
    """What the form's content distance sees of the content picture at ``layers``, each (1, C, h, w)."""
    with torch.no_grad():
        targets: dict[str, Tensor] = encoder(picture, dict.fromkeys(layers, form.view))
    return targets


def style_targets(encoder: Encoder, picture: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
    """Gram matrices (C, C) of the style picture at ``layers``."""
    with torch.no_grad():
        targets: dict[str, Tensor] = encoder(picture, dict.fromkeys(layers, gram_matrix))
    return targets


def blend(grams: Sequence[Mapping[str, Tensor]], weights: Sequence[float]) -> dict[str, Tensor]:
    """The style targets of several styles at once: the weighted mean of their Gram matrices at each layer.

    The distance from the mean and the mean of the distances differ by what the styles are apart, a constant without
    a gradient: ``Σ_k w_k |G - G_k|² = |G - Σ_k w_k G_k|² + const`` for weights that add up to 1. The mean of the Gram
    matrices, which the -style_blend_weights of Johnson's neural-style (2015) take too, leaves that constant out, so
    that the loss of a blend can fall to zero as that of one style can.
    """
    return {
        layer: torch.stack([weight * gram[layer] for weight, gram in zip(weights, grams, strict=True)]).sum(0)
        for layer in grams[0]
    }


def mean_grams(grams: Iterable[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of some pictures' Gram matrices at each layer, (C, C) each: what a collection has on the whole."""
    total: dict[str, Tensor] = {}
    count = 0
    for one in grams:
        total = {layer: gram + total[layer] if total else gram for layer, gram in one.items()}
        count += 1
    return {layer: gram / count for layer, gram in total.items()}


def same(picture: Tensor) -> Tensor:
    """The picture as it is."""
    return picture


@dataclass(frozen=True)
class Smaller:
    """The objective of the same pair for a picture that is made smaller.

    Attributes:
        shape: height and width, in pixels.
    """

    shape: tuple[int, int]
    objective: Objective


@dataclass(frozen=True)
class Objective:
    """``L(x) = α Σ_l v_l d(F_l, F_l,content) + β Σ_l w_l D(G_l, G_l,style) + γ TV(x)``, of Gatys et al. (2016, eq. 7).

    Attributes:
        content: by layer, what the form's content distance sees of the content picture, (1, C, h, w).
        style: by layer, the Gram matrix (C, C); where there are regions, one for each of them, (R, C, C).
        form: the distances d and D, and what is made of the layers' weights.
        regions: by layer, where each style applies; without them, the style is everywhere.
        view: what the network sees of the picture.
        recomputed: so many of the encoder's first stages save memory by being computed again in the backward pass.
        smaller: what is asked of the picture at smaller sizes. Each size counts as much as the picture's own.
    """

    encoder: Encoder
    weights: Weights
    content: Mapping[str, Tensor]
    style: Mapping[str, Tensor]
    form: Form
    view: Callable[[Tensor], Tensor] = same
    regions: Mapping[str, Sequence[Region]] | None = None
    recomputed: int = 0
    smaller: Sequence[Smaller] = ()

    def __call__(self, picture: Tensor) -> Losses:
        """The losses of a picture (1, 3, H, W), RGB in [0, 1], of the content picture's shape: means over the sizes."""
        own, _ = self.observe(picture, {})
        return mean_losses([own, *(one.objective(reduced(picture, *one.shape)) for one in self.smaller)])

    def observe(self, picture: Tensor, looks: Mapping[str, Callable[[Tensor], T]]) -> tuple[Losses, dict[str, T]]:
        """The losses at the picture's own size, and what ``looks`` make of the features in the same pass."""
        (observed,) = observe_each([(self, looks)], picture)
        return observed

    def losses(self, picture: Tensor, distances: Mapping[str, tuple[Tensor, Tensor]]) -> Losses:
        """The losses of a picture, (1, 3, H, W), from its distances at each layer."""
        content = picture.new_zeros(())
        for layer in self.weights.content_layers:
            content = content + distances[layer][0]
        style = {layer: distances[layer][1] for layer in self.weights.style_layers}
        tv = picture.new_zeros(())
        if self.weights.tv:  # at weight zero it would cost time in every step and change nothing
            tv = self.weights.tv * total_variation(picture, self.weights.tv_power)
        return Losses(content, style, tv)

    def content_distance(self, layer: str, features: Tensor) -> Tensor:
        """The weighted distance at one layer from the content: zero where it has no part in it."""
        if layer not in self.weights.content_layers:
            return features.new_zeros((), dtype=torch.float32)
        return self.content_weight(layer) * self.form.content(self.form.view(features), self.content[layer])

    def style_distance(self, layer: str, features: Tensor) -> Tensor:
        """The weighted distance at one layer from the style: zero where it has no part in it."""
        if layer not in self.weights.style_layers:
            return features.new_zeros((), dtype=torch.float32)
        weight, distance = self.style_weight(layer, features.shape[1]), self.form.style
        if self.regions is None:
            return weight * distance(gram_matrix(features), self.style[layer])
        return weight * guided_distance(features, self.regions[layer], self.style[layer], distance)

    def content_weight(self, layer: str) -> float:
        """What the distance from the content at one of its layers counts."""
        weights = self.weights
        return self.form.content_weight(weights.content * weights.content_layers[layer], _sum(weights.content_layers))

    def style_weight(self, layer: str, channels: int) -> float:
        """What the distance from the style at one of its layers counts."""
        weights = self.weights
        own = weights.style * weights.style_layers[layer]
        return self.form.style_weight(own, _sum(weights.style_layers), channels)


def observe_each(
    asked: Sequence[tuple[Objective, Mapping[str, Callable[[Tensor], T]]]], pictures: Tensor
) -> list[tuple[Losses, dict[str, T]]]:
    """As `Objective.observe`, of several pictures in one pass of the network: at their own size.

    Args:
        asked: for each picture its objective, and what looks at it. The objectives are of one encoder and one view.
        pictures: (N, 3, H, W), RGB in [0, 1], of the content pictures' shape.
    """
    first, count = asked[0][0], len(asked)
    seen: list[dict[str, T]] = [{} for _ in asked]

    def at(layer: str, features: Tensor) -> list[tuple[Tensor, Tensor]]:
        # Apart for content and style, so that their gradients add up in the order in which those of one picture do:
        # where the library rounds its products alike whatever their size, the sums are the same to the last bit.
        for_content, for_style = (((features,) if count == 1 else torch.split(features, 1)) for _ in range(2))
        for found, (_, looks), part in zip(seen, asked, for_content, strict=True):
            if layer in looks:
                found[layer] = looks[layer](part)  # (1, C, h, w)
        return [
            (objective.content_distance(layer, of_content), objective.style_distance(layer, of_style))
            for (objective, _), of_content, of_style in zip(asked, for_content, for_style, strict=True)
        ]

    layers = {layer for objective, looks in asked for layer in objective.weights.layers | looks.keys()}
    recomputed = max(objective.recomputed for objective, _ in asked)
    distances = first.encoder(first.view(pictures), {one: partial(at, one) for one in layers}, recomputed)
    singles = (pictures,) if count == 1 else torch.split(pictures, 1)
    return [
        (objective.losses(single, {layer: each[n] for layer, each in distances.items()}), found)
        for n, ((objective, _), single, found) in enumerate(zip(asked, singles, seen, strict=True))
    ]


def _sum(layers: Mapping[str, float]) -> float:
    """Of the layers' weights; where all are zero, so is what is divided by it."""
    return sum(layers.values()) or 1.0
