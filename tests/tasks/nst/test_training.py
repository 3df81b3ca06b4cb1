"""Steps of a training on the real encoder: they lower the loss, and can be gone on with as if nothing had been."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.nst.any_style import AnyStyleNetwork, Architecture
from stylebatch.tasks.nst.condition import LOOKED_AT, look_at
from stylebatch.tasks.nst.criterion import Criterion
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.goals import Style, arrangement_of, between, look, style_of
from stylebatch.tasks.nst.training import Trainer

SIDE, STEPS = 48, 8
CRITERION = Criterion(content=0.6, style=1.0, tv=8e-4)


def read(path: Path) -> Tensor:
    """(1, 3, SIDE, SIDE), RGB in [0, 1]."""
    picture = Image.open(path).convert("RGB").resize((SIDE, SIDE))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(LOOKED_AT)


@pytest.fixture(scope="module")
def content(samples: Path) -> Tensor:
    return read(samples / "images/chelsea.jpg")


@pytest.fixture(scope="module")
def painting(samples: Path) -> Tensor:
    return read(samples / "styles/swirls.jpg")


@pytest.fixture(scope="module")
def style(encoder: Encoder, painting: Tensor) -> Style:
    return style_of(look(encoder, painting), painting)


def new() -> Trainer:
    torch.manual_seed(0)
    return Trainer(AnyStyleNetwork(Architecture(outer=8, middle=8, trunk=16, blocks=1, width=16)), STEPS)


def train(trainer: Trainer, encoder: Encoder, content: Tensor, style: Style, until: int) -> list[float]:
    arrangement, losses = arrangement_of(look(encoder, content)), []
    while trainer.step < until:
        painted = trainer.network(content, style.condition)
        loss = CRITERION.total(CRITERION.terms(encoder, painted, arrangement, style))
        trainer.take([trainer.gradients(loss)])
        losses.append(loss.item())
    return losses


def test_a_few_steps_lower_the_loss(encoder: Encoder, content: Tensor, style: Style) -> None:
    losses = train(new(), encoder, content, style, STEPS)
    assert losses[-1] < 0.98 * losses[0]


def test_going_on_from_a_state_gives_the_weights_of_an_uninterrupted_training(
    encoder: Encoder, content: Tensor, style: Style
) -> None:
    whole, first, second = new(), new(), new()
    train(whole, encoder, content, style, 4)
    train(first, encoder, content, style, 2)
    second.resume(first.state(), 2)
    train(second, encoder, content, style, 4)
    states = whole.state(), second.state()
    assert states[0].keys() == states[1].keys()
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


def test_the_gradients_of_several_samples_count_by_their_mean() -> None:
    one, several = new(), new()
    torch.manual_seed(1)
    shapes = [gradient.shape for gradient in one.gradients(_sum(one.network))]
    given = [[torch.randn(shape) for shape in shapes] for _ in range(3)]
    one.take([[torch.stack(each).mean(0) for each in zip(*given, strict=True)]])
    several.take(given)
    for name, tensor in one.state().items():
        assert torch.allclose(tensor, several.state()[name], atol=1e-6), name


def _sum(network: AnyStyleNetwork) -> Tensor:
    return torch.stack([parameter.sum() for parameter in network.parameters()]).sum()


def test_the_average_lies_between_what_was_and_what_is(encoder: Encoder, content: Tensor, style: Style) -> None:
    trainer = new()
    before = trainer.network.painter.weight.detach().clone()
    train(trainer, encoder, content, style, 3)
    now, average = trainer.network.painter.weight, trainer.average.painter.weight
    assert 0 < (average - before).norm() < (now - before).norm()
    assert not average.requires_grad


def test_a_picture_as_it_is_has_nothing_left_to_be_wanted(encoder: Encoder, painting: Tensor, style: Style) -> None:
    terms = CRITERION.terms(encoder, painting, arrangement_of(look(encoder, painting)), style)
    assert terms.content < 1e-5
    assert terms.style < 1e-3
    assert terms.tv > 1
    assert CRITERION.total(terms) == pytest.approx(8e-4 * terms.tv.item(), rel=0.2)


def test_a_style_in_part_lies_between_the_content_and_the_style(
    encoder: Encoder, content: Tensor, style: Style
) -> None:
    own = style_of(look(encoder, content), content)
    kept, half, wanted = (between(own, style, strength) for strength in (0.0, 0.5, 1.0))
    assert torch.equal(kept.condition, look_at(encoder, content))
    assert torch.allclose(wanted.condition, style.condition)
    arrangement = arrangement_of(look(encoder, content))
    far = [CRITERION.terms(encoder, content, arrangement, one).style.item() for one in (kept, half, wanted)]
    assert far[0] < 1e-3 < far[1] < far[2]


def test_packed_a_style_is_half_as_large_and_asks_for_the_same(encoder: Encoder, content: Tensor, style: Style) -> None:
    packed = style.packed()
    arrangement = arrangement_of(look(encoder, content))
    terms = [CRITERION.terms(encoder, content, arrangement, one) for one in (style, packed)]
    assert terms[1].style == pytest.approx(terms[0].style.item(), rel=1e-3)
    assert packed.grams["relu4_1"].element_size() == 2


def test_an_even_picture_has_a_finite_loss_and_gradient(encoder: Encoder, style: Style) -> None:
    grey = torch.full((1, 3, SIDE, SIDE), 0.5, requires_grad=True)
    arrangement = arrangement_of(look(encoder, grey))
    CRITERION.total(CRITERION.terms(encoder, grey, arrangement, style)).backward()  # type: ignore[no-untyped-call]
    assert grey.grad is not None
    assert grey.grad.isfinite().all()
