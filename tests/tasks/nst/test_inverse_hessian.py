"""The inverse Hessian: both forms obey the secant equation, and are one and the same in what they find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.nst import lbfgs
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.inverse_hessian import InverseHessian, TwoLoops, VectorFree, inverse_hessian
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.losses import Objective, Weights, content_targets, style_targets
from stylebatch.tasks.nst.optimize import alone, search

Form = Callable[[int], InverseHessian]
FORMS = pytest.mark.parametrize("form", [TwoLoops, VectorFree])


@FORMS
def test_the_secant_equation_holds(form: Form) -> None:
    torch.manual_seed(0)
    hessian = form(5)
    for _ in range(8):
        step = torch.randn(20)
        change = step * torch.linspace(1, 9, 20)
        hessian.update(step, change)
        found = hessian.times(change)
        assert found is not None
        torch.testing.assert_close(found, step, rtol=1e-4, atol=1e-4)


@FORMS
def test_a_step_of_negative_curvature_is_left_out(form: Form) -> None:
    hessian, gradient = form(5), torch.arange(3.0)
    assert hessian.times(gradient) is None
    hessian.update(torch.ones(3), -torch.ones(3))
    assert hessian.times(gradient) is None
    hessian.update(torch.ones(3), 2 * torch.ones(3))
    before = hessian.times(gradient)
    assert before is not None
    hessian.update(gradient, -gradient)
    after = hessian.times(gradient)
    assert after is not None
    assert torch.equal(before, after)


@pytest.mark.parametrize("history", [1, 3, 12])
def test_both_forms_find_the_same(history: int) -> None:
    """Over more steps than are remembered, some of which are left out, in a bowl of condition 10,000."""
    torch.manual_seed(history)
    size = 3000  # some pieces, and a part of one
    scale = torch.logspace(-2, 2, size)
    one, other = TwoLoops(history), VectorFree(history)
    for number in range(40):
        step = torch.randn(size) * scale.rsqrt()
        change = -step if number % 7 == 3 else scale * step
        for form in (one, other):
            form.update(step, change)
        if number % 3:  # a pair may also come before the last one was asked for
            gradient = torch.randn(size)
            expected, found = one.times(gradient), other.times(gradient)
            assert expected is not None
            assert found is not None
            assert (found - expected).norm() < 1e-5 * expected.norm()


def test_what_is_not_finite_comes_through() -> None:
    """So that the optimizer sees it at the next point, and starts again."""
    for form in (TwoLoops(3), VectorFree(3)):
        form.update(torch.full((4,), float("nan")), torch.ones(4))
        found = form.times(torch.ones(4))
        assert found is not None
        assert found.isnan().all()


def test_a_processor_has_the_loops_and_a_gpu_the_other_form() -> None:
    assert isinstance(inverse_hessian(5, torch.device("cpu")), TwoLoops)
    assert isinstance(inverse_hessian(5, torch.device("cuda:0")), VectorFree)


@pytest.mark.slow
def test_a_picture_comes_out_as_well(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> Tensor:
        picture = Image.open(samples / name).resize((48, 32))
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255

    content, weights = load("images/chelsea.jpg"), Weights(1, 1, 0, {"relu2_1": 1}, {"relu1_1": 1, "relu3_1": 1})
    encoder = Encoder(weights.layers)
    wanted = content_targets(encoder, content, weights.content_layers, BALANCED)
    style = style_targets(encoder, load("styles/glass.jpg"), weights.style_layers)
    objective = Objective(encoder, weights, wanted, style, BALANCED)

    def lowest() -> float:
        return alone(search(objective, content, LBFGS(8), 40)).loss

    expected = lowest()
    asked: list[int] = []

    def vector_free(history: int, device: torch.device) -> InverseHessian:
        asked.append(history)
        return VectorFree(history)

    monkeypatch.setattr(lbfgs, "inverse_hessian", vector_free)
    assert lowest() == pytest.approx(expected, rel=0.02)
    assert asked
