"""Pictures made smaller: as Pillow makes them, and the objective that looks at several sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.evaluation import Asked, evaluate
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.image import FourierImage
from stylebatch.tasks.nst.losses import Objective, Smaller, Weights, content_targets, style_targets
from stylebatch.tasks.nst.reduced import reduced

WEIGHTS = Weights(1.0, 1.0, 0.01, {"relu2_1": 1.0, "relu3_1": 1.0}, {"relu1_1": 1.0, "relu3_1": 1.0})
SHAPES = [(64, 95), (32, 48), (16, 24)]


@pytest.mark.parametrize("shape", [(64, 48), (33, 25), (16, 95), (64, 95)])
def test_it_is_what_pillow_makes(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 95, 3), dtype=np.uint8)
    expected = np.array(Image.fromarray(pixels).resize(shape[::-1], Image.Resampling.BILINEAR))
    found = reduced(torch.from_numpy(pixels).permute(2, 0, 1)[None].float(), *shape)
    assert found.shape == (1, 3, *shape)
    # Pillow rounds to 8 bits after each of both directions.
    assert np.abs(found[0].permute(1, 2, 0).numpy() - expected).max() <= 1.01


@pytest.fixture(scope="module")
def each() -> list[Objective]:
    """The objective of one pair at each size, the largest first."""
    encoder = Encoder(WEIGHTS.layers)

    def at(shape: tuple[int, int]) -> Objective:
        content, style = (random_picture(seed, shape) for seed in (1, 2))
        kept = content_targets(encoder, content, WEIGHTS.content_layers, BALANCED)
        return Objective(encoder, WEIGHTS, kept, style_targets(encoder, style, WEIGHTS.style_layers), BALANCED)

    return [at(shape) for shape in SHAPES]


def random_picture(seed: int, shape: tuple[int, int]) -> Tensor:
    return torch.rand((1, 3, *shape), generator=torch.Generator().manual_seed(seed))


def test_every_size_counts_as_much(each: list[Objective]) -> None:
    """By their definition: the mean of the losses, and its gradient."""
    smaller = [Smaller(shape, one) for shape, one in zip(SHAPES[1:], each[1:], strict=True)]
    objective = replace(each[0], smaller=smaller)
    image = FourierImage(random_picture(3, SHAPES[0]))
    variables = image.coefficients.clone().requires_grad_()
    picture = image.decode(variables)
    apart = [one(reduced(picture, *shape)) for shape, one in zip(SHAPES, each, strict=True)]
    mean = torch.stack([one.total for one in apart]).mean()
    (gradient,) = torch.autograd.grad(mean, variables)

    (seen,) = evaluate([Asked(objective, image, image.coefficients.flatten())])
    assert seen.loss == pytest.approx(mean.item(), rel=1e-6)
    assert (seen.gradient - gradient.flatten()).norm() < 1e-5 * gradient.norm()
    called = objective(picture.detach())
    for layer, loss in seen.losses.style.items():
        assert loss.item() == pytest.approx(sum(one.style[layer].item() for one in apart) / 3, rel=1e-6)
        assert called.style[layer].item() == pytest.approx(loss.item(), rel=1e-6)
    assert called.content.item() == pytest.approx(seen.losses.content.item(), rel=1e-6)
    assert called.tv.item() == pytest.approx(sum(one.tv.item() for one in apart) / 3, rel=1e-6)


def test_only_those_that_look_at_the_same_sizes_go_together(each: list[Objective]) -> None:
    image = FourierImage(random_picture(3, SHAPES[0]))
    point = image.coefficients.flatten()
    two = replace(each[0], smaller=[Smaller(SHAPES[1], each[1])])
    assert Asked(two, image, point).kind != Asked(each[0], image, point).kind
    assert Asked(two, image, point).kind == Asked(replace(two), image, point).kind
