"""The two forms of the objective: each is its formula; the balanced one has no scale, the classic one is as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import BALANCED, CLASSIC, CONTENT_SHARE, Form
from stylebatch.tasks.nst.guidance import guide
from stylebatch.tasks.nst.losses import Losses, Objective, Weights, content_targets, gram_matrix, style_targets

STYLE = ("relu1_1", "relu2_1", "relu3_1")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder([*STYLE, "relu3_2"])


@pytest.fixture(scope="module")
def pictures() -> tuple[Tensor, Tensor]:
    """Content and style, with shapes in them and of different shapes."""
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand((2, 3, 6, 6), generator=generator)
    content, style = F.interpolate(coarse, (40, 48), mode="bilinear").chunk(2)
    return content, style[..., :36].square()


def objective_of(encoder: Encoder, content: Tensor, style: Tensor, weights: Weights, form: Form) -> Objective:
    seen = content_targets(encoder, content, weights.content_layers, form)
    return Objective(encoder, weights, seen, style_targets(encoder, style, weights.style_layers), form)


def features(encoder: Encoder, picture: Tensor) -> dict[str, Tensor]:
    seen: dict[str, Tensor] = encoder(picture, dict.fromkeys([*STYLE, "relu3_2"], lambda seen: seen))
    return seen


def test_classic_pictures_are_what_they_were_to_the_digit(encoder: Encoder, pictures: tuple[Tensor, Tensor]) -> None:
    """The objective of the first releases, written out once more."""
    content, style = pictures
    weights = Weights(0.01, 10.0, 0.0, {"relu3_2": 1.0}, {"relu1_1": 1.0, "relu2_1": 0.3, "relu3_1": 1.0})
    grams, seen = style_targets(encoder, style, STYLE), features(encoder, content)["relu3_2"]

    def as_it_was(picture: Tensor) -> Losses:
        found = features(encoder, picture)
        distances = {
            layer: 10.0 * weight / found[layer].shape[1] ** 2 * F.mse_loss(gram_matrix(found[layer]), grams[layer])
            for layer, weight in weights.style_layers.items()
        }
        return Losses(0.01 * F.mse_loss(found["relu3_2"], seen), distances, torch.zeros(()))

    def gradient(objective: Callable[[Tensor], Losses]) -> Tensor:
        picture = ((content + style.mean()) / 2).requires_grad_()
        (found,) = torch.autograd.grad(objective(picture).total, picture)
        return found

    assert torch.equal(gradient(objective_of(encoder, content, style, weights, CLASSIC)), gradient(as_it_was))


def test_balanced_losses_are_their_formulas(encoder: Encoder, pictures: tuple[Tensor, Tensor]) -> None:
    """Against another implementation, in double precision."""
    content, style = pictures
    picture = (content + style.mean()) / 2
    weights = Weights(3.0, 2.0, 0.0, {"relu2_1": 1.0, "relu3_2": 2.0}, dict(zip(STYLE, (1.0, 1.0, 4.0), strict=True)))
    losses = objective_of(encoder, content, style, weights, BALANCED)(picture)

    def normal(seen: Tensor) -> Tensor:
        rows = seen.double().flatten(2)[0]
        deviation = rows.std(1, correction=0, keepdim=True)
        return (rows - rows.mean(1, keepdim=True)) / (deviation + 0.01 * deviation.mean())

    found, kept, wanted = (features(encoder, one) for one in (picture, content, style))

    def lost(layer: str) -> Tensor:
        one, other = normal(found[layer]), normal(kept[layer])
        correlation: Tensor = (one * other).sum(0) / one.norm(dim=0) / other.norm(dim=0)
        return 1 - correlation.mean()

    content_loss = CONTENT_SHARE * 3.0 * (lost("relu2_1") + 2 * lost("relu3_2")) / 3
    assert losses.content.item() == pytest.approx(content_loss.item(), rel=1e-4)
    for layer, share in zip(STYLE, (1 / 6, 1 / 6, 4 / 6), strict=True):
        one, other = (gram_matrix(seen[layer].double()).double() for seen in (found, wanted))
        expected = 2.0 * share * ((one - other).square().sum() / other.square().sum()).sqrt()
        assert losses.style[layer].item() == pytest.approx(expected.item(), rel=1e-4)


def test_balanced_losses_have_no_scale(encoder: Encoder, pictures: tuple[Tensor, Tensor]) -> None:
    """A loud style's loss is a pale one's: that of the content picture in a style without anything is 1 everywhere."""
    torch.manual_seed(0)
    seen, grams = torch.rand(1, 8, 5, 6), torch.rand(8, 8)
    gram = gram_matrix(seen)
    for gain in (1e-3, 1.0, 1e3):
        torch.testing.assert_close(BALANCED.style(gain * gram, gain * grams), BALANCED.style(gram, grams))
        torch.testing.assert_close(BALANCED.view(gain * seen), BALANCED.view(seen), rtol=1e-3, atol=1e-3)
    assert BALANCED.style(0 * gram, gram).item() == pytest.approx(1)


def test_balanced_losses_are_zero_and_smooth_where_nothing_differs(
    encoder: Encoder, pictures: tuple[Tensor, Tensor]
) -> None:
    content, _ = pictures
    weights = Weights(1.0, 1.0, 0.0, {"relu3_2": 1.0}, dict.fromkeys(STYLE, 1.0))
    picture = content.clone().requires_grad_()
    losses = objective_of(encoder, content, content, weights, BALANCED)(picture)
    assert losses.total.item() == pytest.approx(0, abs=1e-4)
    (gradient,) = torch.autograd.grad(losses.total, picture)
    assert gradient.isfinite().all()


def test_layers_share_a_weight(encoder: Encoder, pictures: tuple[Tensor, Tensor]) -> None:
    content, style = pictures
    picture = (content + style.mean()) / 2

    def total(layers: dict[str, float]) -> Losses:
        return objective_of(encoder, content, style, Weights(1, 1, 0, {"relu3_2": 1}, layers), BALANCED)(picture)

    assert total({"relu1_1": 5.0}).style["relu1_1"].item() == pytest.approx(
        2 * total({"relu1_1": 1.0, "relu2_1": 1.0}).style["relu1_1"].item(), rel=1e-6
    )
    assert total({"relu1_1": 0.0}).style["relu1_1"].item() == 0


def test_each_region_is_relative_to_its_own_style(encoder: Encoder, pictures: tuple[Tensor, Tensor]) -> None:
    """A pale style beside a loud one is as far as it would be alone, by its region's share of the picture."""
    content, style = pictures
    halves = torch.zeros(2, 40, 48)
    halves[0, :, :24] = halves[1, :, 24:] = 1
    weights = Weights(0.0, 1.0, 0.0, {"relu3_2": 1.0}, {"relu1_1": 1.0})
    grams = [style_targets(encoder, one, ["relu1_1"])["relu1_1"] for one in (0.1 * style, style)]
    regions = guide(encoder, content, ["relu1_1"], halves, [1.0, 1.0])

    def loss(targets: list[Tensor]) -> float:
        kept = content_targets(encoder, content, weights.content_layers, BALANCED)
        given = {"relu1_1": torch.stack(targets)}
        return Objective(encoder, weights, kept, given, BALANCED, regions=regions)(content).style["relu1_1"].item()

    seen = features(encoder, content)["relu1_1"]
    expected = [
        (torch.linalg.norm(gram_matrix(seen[..., part]) - gram) / torch.linalg.norm(gram)).item() / 2
        for part, gram in zip((slice(0, 24), slice(24, 48)), grams, strict=True)
    ]
    assert loss(grams) == pytest.approx(sum(expected), rel=1e-4)
