"""Steps of a training on the real encoder: they lower the loss, and can be gone on with as if nothing had been."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from stylebatch.tasks.nst.transform import Architecture, TransformNetwork
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import CLASSIC
from stylebatch.tasks.nst.losses import Losses, Objective, Weights, content_targets, style_targets
from stylebatch.tasks.nst.training import EMPHASIS, SPACIOUS, Trainer, criterion, sample

WEIGHTS = Weights(0.01, 10.0, 0.0, {"relu4_2": 1.0}, {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0})
SIZE, STEPS = 64, 12


def read(path: Path, side: int) -> Tensor:
    """(3, side, side), 8 bits."""
    return torch.from_numpy(np.array(Image.open(path).convert("RGB").resize((side, side)))).permute(2, 0, 1)


@pytest.fixture(scope="module")
def pictures(samples: Path) -> list[Tensor]:
    return [
        read(samples / "images" / f"{name}.jpg", round(SPACIOUS * SIZE)) for name in ("chelsea", "coffee", "rocket")
    ]


@pytest.fixture(scope="module")
def objective(samples: Path) -> Callable[[Tensor], Objective]:
    encoder = Encoder(WEIGHTS.layers)
    style = read(samples / "styles" / "swirls.jpg", SIZE)[None].float() / 255
    targets = style_targets(encoder, style, WEIGHTS.style_layers)

    def make(content: Tensor) -> Objective:
        seen = content_targets(encoder, content, WEIGHTS.content_layers, CLASSIC)
        return Objective(encoder, WEIGHTS, seen, targets, CLASSIC)

    return make


def new() -> Trainer:
    torch.manual_seed(0)
    return Trainer(TransformNetwork(Architecture(outer=8, trunk=16, blocks=1)), STEPS)


def train(
    trainer: Trainer, objective: Callable[[Tensor], Objective], pictures: list[Tensor], until: int
) -> list[float]:
    losses = []
    while trainer.step < until:
        picture = sample(pictures, SIZE, 0, trainer.step)
        losses.append(trainer.take(picture, objective(picture), torch.float32))
    return losses


def test_a_few_steps_lower_the_loss(objective: Callable[[Tensor], Objective], pictures: list[Tensor]) -> None:
    losses = train(new(), objective, pictures, STEPS)
    assert max(losses[-3:]) < min(losses[:3])


def test_going_on_from_a_state_gives_the_weights_of_an_uninterrupted_training(
    objective: Callable[[Tensor], Objective], pictures: list[Tensor]
) -> None:
    whole = new()
    train(whole, objective, pictures, 6)
    first = new()
    train(first, objective, pictures, 3)
    state = {name: tensor.clone() for name, tensor in first.state().items()}
    second = new()
    second.resume(state, 3)
    train(second, objective, pictures, 6)
    for name, tensor in whole.state().items():
        assert torch.equal(tensor, second.state()[name]), name


def test_what_a_step_looks_at_follows_from_seed_and_number(pictures: list[Tensor]) -> None:
    draw = partial(sample, pictures, SIZE)
    assert torch.equal(draw(1, 5), draw(1, 5))
    seen = [draw(1, step) for step in range(20)]
    assert len({picture.sum().item() for picture in seen}) > 10
    assert len({draw(seed, 5).sum().item() for seed in range(5)}) > 2
    for picture in seen:
        assert picture.shape == (1, 3, SIZE, SIZE)
        assert picture.min() >= 0
        assert picture.max() <= 1


def test_the_content_counts_more_than_in_the_objective() -> None:
    """Of two pictures whose losses add up to the same, the one that is nearer to the content is preferred."""
    near = Losses(torch.tensor(10.0), {"relu1_1": torch.tensor(140.0)}, torch.tensor(0.0))
    far = Losses(torch.tensor(50.0), {"relu1_1": torch.tensor(100.0)}, torch.tensor(0.0))
    assert near.total == far.total
    assert criterion(near) < criterion(far)
    assert criterion(near) == pytest.approx(math.log(EMPHASIS * 10 + 140))
