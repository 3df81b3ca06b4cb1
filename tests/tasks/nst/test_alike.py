"""Losses of several pictures at once: those of each by itself, and their gradients."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from stylebatch.tasks.nst import evaluation
from stylebatch.tasks.nst.alike import are_alike, losses_of_all
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.evaluation import Asked, evaluate
from stylebatch.tasks.nst.forms import BALANCED, CLASSIC, FORMS, Form
from stylebatch.tasks.nst.image import FourierImage
from stylebatch.tasks.nst.losses import Losses, Objective, Smaller, Weights, content_targets, style_targets
from stylebatch.tasks.nst.reduced import reduced

WEIGHTS = Weights(2.0, 3.0, 0.01, {"relu2_1": 1.0, "relu3_1": 2.0}, {"relu1_1": 1.0, "relu3_1": 3.0}, tv_power=2)
COUNT = 3


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(WEIGHTS.layers)


def picture(seed: int) -> Tensor:
    return torch.rand((1, 3, 32, 48), generator=torch.Generator().manual_seed(seed))


def objectives_of(
    encoder: Encoder, form: Form, recomputed: int = 0, shape: tuple[int, int] = (32, 48)
) -> list[Objective]:
    return [
        Objective(
            encoder,
            WEIGHTS,
            content_targets(encoder, reduced(picture(seed), *shape), WEIGHTS.content_layers, form),
            style_targets(encoder, picture(100 + seed), WEIGHTS.style_layers),
            form,
            recomputed=recomputed,
        )
        for seed in range(COUNT)
    ]


@pytest.mark.parametrize("recomputed", [0, 2])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_they_are_those_of_each_by_itself(encoder: Encoder, form: Form, recomputed: int) -> None:
    objectives = objectives_of(encoder, form, recomputed)
    pictures = torch.cat([picture(200 + seed) for seed in range(COUNT)]).requires_grad_()
    assert are_alike(objectives)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch's, of what it would do picture by picture
        together = losses_of_all(objectives, pictures)
    (gradients,) = torch.autograd.grad(together.total.sum(), pictures)
    each = [Losses.of(terms, together.style) for terms in together.terms.detach()]
    for n, (objective, found) in enumerate(zip(objectives, each, strict=True)):
        single = pictures[n : n + 1].detach().requires_grad_()
        expected = objective(single)
        (gradient,) = torch.autograd.grad(expected.total, single)
        assert (gradients[n : n + 1] - gradient).norm() < 1e-5 * gradient.norm()
        assert found.style.keys() == expected.style.keys()
        for name in ("content", "tv", "total"):
            torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-5, atol=0)
        for layer, loss in expected.style.items():
            torch.testing.assert_close(found.style[layer], loss, rtol=1e-5, atol=0)


def test_only_what_differs_in_its_pictures_alone_is_alike(encoder: Encoder) -> None:
    one, *others = objectives_of(encoder, BALANCED)
    assert not are_alike([one])
    assert are_alike([one, replace(others[0], weights=replace(WEIGHTS))])
    assert not are_alike([one, replace(others[0], weights=replace(WEIGHTS, style=1.0))])
    assert not are_alike([one, replace(others[0], form=CLASSIC)])
    assert not are_alike([one, replace(others[0], regions={})])


@pytest.mark.parametrize("sizes", [1, 2])
def test_a_step_in_company_is_the_same_where_terms_are_found_at_once(
    encoder: Encoder, sizes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, where they are found so."""
    starts = [FourierImage(picture(seed)) for seed in range(COUNT)]
    objectives = objectives_of(encoder, BALANCED)
    if sizes == 2:
        shape = (24, 36)
        coarser = objectives_of(encoder, BALANCED, shape=shape)
        objectives = [
            replace(one, smaller=[Smaller(shape, other)]) for one, other in zip(objectives, coarser, strict=True)
        ]
    asked = [
        Asked(objective, start, start.coefficients.flatten())
        for objective, start in zip(objectives, starts, strict=True)
    ]
    expected = evaluate(asked)

    monkeypatch.setattr(evaluation, "_is_quicker_at_once", lambda pictures: True)
    for found, one in zip(evaluate(asked), expected, strict=True):
        assert found.loss == pytest.approx(one.loss, rel=1e-5)
        assert found.loss == pytest.approx(found.losses.total.item(), rel=1e-6)
        assert (found.gradient - one.gradient).norm() < 1e-5 * one.gradient.norm()


def test_a_picture_that_goes_wrong_leaves_the_others_as_they_are(encoder: Encoder) -> None:
    objectives = objectives_of(encoder, BALANCED)
    pictures = [picture(200 + seed) for seed in range(COUNT)]
    found = []
    for one in (pictures[1], pictures[1] * float("nan")):
        together = torch.cat([pictures[0], one, pictures[2]]).requires_grad_()
        losses = losses_of_all(objectives, together).total
        (gradients,) = torch.autograd.grad(losses.sum(), together)
        found.append((losses[::2], gradients[::2], losses[1]))
    (losses, gradients, _), (others, their_gradients, wrong) = found
    assert wrong.isnan()
    assert torch.equal(losses, others)
    assert torch.equal(gradients, their_gradients)
