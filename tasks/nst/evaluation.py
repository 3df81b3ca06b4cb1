"""Evaluations: what an objective and its gradient are at a point, of several searches in one pass of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from stylebatch.tasks.nst.alike import are_alike, losses_of_all
from stylebatch.tasks.nst.image import FourierImage, decode
from stylebatch.tasks.nst.losses import Losses, Objective, mean_losses, observe_each, same
from stylebatch.tasks.nst.reduced import Reduction


@dataclass(frozen=True, eq=False)
class Asked:
    """A point at which an objective and its gradient are to be evaluated: the image's coefficients, flat (N,)."""

    objective: Objective
    image: FourierImage
    point: Tensor

    @property
    def kind(self) -> tuple[object, ...]:
        """What is equal of those that one pass of the network can evaluate together."""
        objective = self.objective
        return objective.encoder, objective.view, self.image.start.shape, *(one.shape for one in objective.smaller)


@dataclass(frozen=True, eq=False)
class Seen:
    """What is found at a point.

    Attributes:
        picture: (1, 3, H, W), RGB in [0, 1].
        losses: the terms of the objective, and ``loss``: their sum.
        gradient: flat (N,).
    """

    picture: Tensor
    losses: Losses
    loss: float
    gradient: Tensor


class Found(NamedTuple):
    """What is found at B points, still on the device.

    Attributes:
        pictures: (B, 3, H, W), RGB in [0, 1].
        terms: `Losses.terms` of one picture behind the other, flat.
        totals: of the terms of each picture, (B,).
        gradients: (B, N).
    """

    pictures: Tensor
    terms: Tensor
    totals: Tensor
    gradients: Tensor


class Evaluation:
    """What is to be done with points of one `Asked.kind`: a function from tensors to tensors, which waits for nothing.

    One pass of the network a size, and the backward pass of the losses' sum. The gradient of a sum is to each picture
    that of its own loss: nothing in the network mixes pictures. A picture that goes wrong leaves the others as they
    are.

    It keeps every tensor that it reads. What is asked is the same as long as objectives and images are.
    """

    def __init__(self, asked: Sequence[Asked]) -> None:
        first = asked[0].image
        self._objectives = [one.objective for one in asked]
        starts = [one.image.start for one in asked]
        self._starts = starts[0] if len(asked) == 1 else torch.cat(starts)  # (B, 3, H, W)
        self._shape, self._scale = first.coefficients.shape[1:], first.scale
        self._sizes = list(_sizes(self._objectives, first.start))

    def __call__(self, points: Tensor) -> Found:
        """Evaluate points (B, N)."""
        variables = points.view(-1, *self._shape).requires_grad_()  # (B, 3, H, W//2 + 1, 2)
        with torch.enable_grad():
            pictures = decode(variables, self._starts, self._scale)  # (B, 3, H, W)
        losses, slope = self._look(pictures.detach().requires_grad_())
        (gradients,) = torch.autograd.grad(pictures, variables, slope)
        terms = torch.cat([own.terms.flatten() for own in losses])
        totals = torch.hstack([own.total for own in losses])
        return Found(pictures.detach(), terms.detach(), totals.detach(), gradients.flatten(1))

    def _look(self, pictures: Tensor) -> tuple[Sequence[Losses], Tensor]:
        """The losses of each picture, or of all in one, and the slope of their sum at the pictures, (B, 3, H, W).

        One size after another, so that the features of one only are in memory.
        """
        together = _is_quicker_at_once(pictures) and are_alike(self._objectives)
        found: list[Sequence[Losses]] = []
        slopes: list[Tensor] = []
        for here, reduction in self._sizes:
            with torch.enable_grad():
                shown = reduction(pictures)
                if together:
                    losses = [losses_of_all(here, shown)]
                else:
                    losses = [own for own, _ in observe_each([(objective, {}) for objective in here], shown)]
                totals = [own.total for own in losses]
            slopes += torch.autograd.grad(totals, pictures, [torch.ones_like(total) for total in totals])
            found.append(losses)
        with torch.no_grad():
            means = [mean_losses(each) for each in zip(*found, strict=True)]
        return means, slopes[0] if len(slopes) == 1 else torch.stack(slopes).mean(0)

    def tell(self, found: Found) -> list[Seen]:
        """What each of those who asked is told; here the device is waited for."""
        names = [objective.weights.style_layers for objective in self._objectives]
        terms = torch.split(found.terms, [2 + len(layers) for layers in names])
        losses = [Losses.of(own, layers) for own, layers in zip(terms, names, strict=True)]
        totals = found.totals.tolist()
        if len(names) == 1:
            return [Seen(found.pictures, losses[0], totals[0], found.gradients[0])]
        return [
            # Copies: a view would keep alive what belongs to all of them.
            Seen(picture.clone(), own, loss, gradient.clone())
            for picture, own, loss, gradient in zip(
                torch.split(found.pictures, 1), losses, totals, found.gradients, strict=True
            )
        ]


def points_of(asked: Sequence[Asked]) -> Tensor:
    """The points that are asked for, (B, N)."""
    return asked[0].point[None] if len(asked) == 1 else torch.stack([one.point for one in asked])


def evaluate(asked: Sequence[Asked]) -> list[Seen]:
    """Evaluate points of one `Asked.kind`, see `Evaluation`."""
    evaluation = Evaluation(asked)
    return evaluation.tell(evaluation(points_of(asked)))


def _is_quicker_at_once(pictures: Tensor) -> bool:
    """Whether a term of all pictures at once takes less time than each by itself, which is rounded as it is alone."""
    return pictures.is_cuda


def _sizes(
    objectives: Sequence[Objective], picture: Tensor
) -> Iterator[tuple[Sequence[Objective], Callable[[Tensor], Tensor]]]:
    """What is asked at the size of ``picture``, and at each smaller one, with what makes a picture as small."""
    yield objectives, same
    for smaller in zip(*(objective.smaller for objective in objectives), strict=True):
        yield [one.objective for one in smaller], Reduction(picture, *smaller[0].shape)
