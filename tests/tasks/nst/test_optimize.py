"""The loop on the real network: it gets down, keeps its best, repeats itself, and every choice matters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.nst.adam import Adam
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import CLASSIC
from stylebatch.tasks.nst.image import noise
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.losses import Objective, Weights, content_targets, style_targets
from stylebatch.tasks.nst.optimize import Optimized, alone, search
from stylebatch.tasks.nst.precision import DTYPES

WEIGHTS = Weights(0.01, 10, 0, {"relu4_2": 1.0}, {f"relu{block}_1": 1.0 for block in range(1, 6)})


def load(path: Path, side: int = 32) -> Tensor:
    picture = Image.open(path).resize((side, side))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="module")
def content(samples: Path) -> Tensor:
    return load(samples / "images/chelsea.jpg")


@pytest.fixture(scope="module")
def style(samples: Path) -> Tensor:
    return load(samples / "styles/glass.jpg")


def make_objective(content: Tensor, style: Tensor, dtype: torch.dtype = torch.float32) -> Objective:
    encoder = Encoder(WEIGHTS.layers, dtype)
    return Objective(
        encoder,
        WEIGHTS,
        content_targets(encoder, content, WEIGHTS.content_layers, CLASSIC),
        style_targets(encoder, style, WEIGHTS.style_layers),
        CLASSIC,
    )


@pytest.fixture(scope="module")
def objective(content: Tensor, style: Tensor) -> Objective:
    return make_objective(content, style)


@pytest.fixture(scope="module")
def optimized(objective: Objective, content: Tensor) -> tuple[Optimized, list[float]]:
    """By 40 steps from the content, and the loss at each of them."""
    seen: list[float] = []
    result = alone(
        search(objective, content, LBFGS(50), 40, on_step=lambda step, losses: seen.append(losses.total.item()))
    )
    return result, seen


def test_the_loss_falls_far(optimized: tuple[Optimized, list[float]], objective: Objective, content: Tensor) -> None:
    result, _ = optimized
    with torch.no_grad():
        assert result.loss < 0.05 * objective(content).total.item()
    assert result.steps == 40


def test_the_result_is_the_best_picture_that_was_seen(
    optimized: tuple[Optimized, list[float]], objective: Objective
) -> None:
    result, seen = optimized
    assert len(seen) == 40
    assert result.loss == min(seen)
    with torch.no_grad():
        assert objective(result.picture).total.item() == pytest.approx(result.loss, rel=1e-5)


def test_the_written_pixels_score_what_the_optimizer_saw(
    optimized: tuple[Optimized, list[float]], objective: Objective
) -> None:
    """The point of clamping inside the objective: rounding to 8 bits is all that writing changes."""
    result, _ = optimized
    assert result.picture.min() >= 0
    assert result.picture.max() <= 1
    with torch.no_grad():
        written = objective((result.picture * 255).round() / 255).total.item()
    assert written == pytest.approx(result.loss, rel=0.01)


def test_the_same_again_gives_the_same_bits(objective: Objective, content: Tensor) -> None:
    one, other = (alone(search(objective, content, LBFGS(10), 8)).picture for _ in range(2))
    assert torch.equal(one, other)


def test_starting_from_noise_gets_down_too(optimized: tuple[Optimized, list[float]], objective: Objective) -> None:
    start = noise(32, 32, seed=5)
    with torch.no_grad():
        before = objective(start).total.item()
    result = alone(search(objective, start, LBFGS(50), 20))
    assert result.loss < 0.05 * before
    assert not torch.equal(result.picture, optimized[0].picture)


def test_lbfgs_beats_adam(optimized: tuple[Optimized, list[float]], objective: Objective, content: Tensor) -> None:
    lbfgs = min(optimized[1][:30])
    adam = alone(search(objective, content, Adam(0.01), 30)).loss
    with torch.no_grad():
        assert lbfgs < adam < objective(content).total.item()


@pytest.mark.slow
def test_bfloat16_reaches_the_same_loss(samples: Path) -> None:
    """Small: processors that have no arithmetic for it take ten times as long."""
    content, style = load(samples / "images/chelsea.jpg", 32), load(samples / "styles/glass.jpg", 32)
    objective = make_objective(content, style)
    exact = alone(search(objective, content, LBFGS(50), 3)).loss
    rounded = alone(search(make_objective(content, style, DTYPES["bfloat16"]), content, LBFGS(50), 3))
    with torch.no_grad():
        assert objective(rounded.picture).total.item() == pytest.approx(exact, rel=0.15)
