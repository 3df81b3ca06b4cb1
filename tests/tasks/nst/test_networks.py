"""Every network against torchvision's own modules, with weights that the tests make; and files that do not fit."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.layers import NETWORKS, NetworkName
from stylebatch.tasks.nst.torchvision_import import torchvision_models
from stylebatch.tasks.nst.weights import UnfitWeights, read_weights
from tests.random_weights import MODELS, make_model, save

MEAN, DEVIATION = (torch.tensor(values).view(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def look(encoder: Encoder, picture: torch.Tensor) -> dict[str, torch.Tensor]:
    features: dict[str, torch.Tensor] = encoder(picture, dict.fromkeys(encoder.layers, torch.clone))
    return features


@pytest.mark.parametrize(
    ("network", "ending"),
    [
        pytest.param("vgg19-torchvision", "pth", marks=pytest.mark.slow),  # as VGG-16, and larger
        ("vgg16", "safetensors"),
        ("squeezenet", "safetensors"),
        ("mobilenet", "pth"),
    ],
    ids=str,
)
def test_features_are_those_of_torchvisions_model(network: NetworkName, ending: str, tmp_path: Path) -> None:
    model = make_model(network)
    named = NETWORKS[network]
    picture = torch.rand((1, 3, 40, 33), generator=torch.Generator().manual_seed(1))
    expected: dict[str, torch.Tensor] = {}
    x = (picture - MEAN) / DEVIATION
    with torch.no_grad():
        for name, module in zip(named.modules, model, strict=True):
            x = module(x)
            expected[name] = x.clone()
    encoder = Encoder(named.layers, network=network, weights=save(model, tmp_path / f"own.{ending}"))
    features = look(encoder, picture)
    assert tuple(features) == named.layers
    for layer in named.layers:
        torch.testing.assert_close(
            features[layer], expected[layer], rtol=1e-3, atol=1e-4 * float(expected[layer].abs().max())
        )
    rounded = look(
        Encoder(named.style_layers, torch.bfloat16, network=network, weights=tmp_path / f"own.{ending}"), picture
    )
    for layer in named.style_layers:
        assert (rounded[layer] - expected[layer]).norm() < 0.05 * expected[layer].norm()


@pytest.mark.parametrize("network", ["squeezenet", "mobilenet"])
def test_the_shortest_side_is_that_of_every_stage(network: NetworkName, tmp_path: Path) -> None:
    """VGG's are tested with its own weights."""
    weights = save(make_model(network), tmp_path / "own.pth")
    for layer in (
        stage[-1] if stage[-1] in NETWORKS[network].layers else stage[-2] for stage in NETWORKS[network].stages
    ):
        side = NETWORKS[network].minimum_side([layer])
        for pooling in ("max", "average") if NETWORKS[network].has_pooling else ("max",):
            encoder = Encoder([layer], network=network, weights=weights, pooling=pooling)
            assert look(encoder, torch.rand(1, 3, side, side))[layer].isfinite().all()
            if side > 1:
                with pytest.raises(RuntimeError):
                    look(encoder, torch.rand(1, 3, side - 1, side - 1))


def test_average_pooling_takes_the_place_of_max_pooling(tmp_path: Path) -> None:
    weights = save(make_model("squeezenet"), tmp_path / "own.pth")
    picture = torch.rand(1, 3, 40, 40)
    most, mean = (
        look(Encoder(["relu1", "fire2"], network="squeezenet", weights=weights, pooling=pooling), picture)
        for pooling in ("max", "average")
    )
    assert torch.equal(most["relu1"], mean["relu1"])
    assert most["fire2"].shape == mean["fire2"].shape
    assert not torch.equal(most["fire2"], mean["fire2"])


def test_the_files_and_scales_are_torchvisions() -> None:
    for network, model in MODELS.items():
        weights = torchvision_models().get_model_weights(model).DEFAULT
        assert weights.url.rpartition("/")[2] == NETWORKS[network].download
        transforms = weights.transforms()
        assert NETWORKS[network].normalization.mean == tuple(transforms.mean)
        assert NETWORKS[network].normalization.gain == pytest.approx([1 / value for value in transforms.std])
        assert NETWORKS[network].normalization.unit == pytest.approx(57.6, abs=0.1)
    assert NETWORKS["vgg19"].normalization.unit == 1


class Bomb:
    """What makes a directory when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_a_pickle_is_not_carried_out(tmp_path: Path) -> None:
    torch.save({"features.0.weight": Bomb(tmp_path / "exploded")}, tmp_path / "bomb.pth")
    with pytest.raises(UnfitWeights, match=r"^bomb\.pth is damaged, or holds more than tensors"):
        read_weights(tmp_path / "bomb.pth", "squeezenet")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_damaged_file_is_told(ending: str, tmp_path: Path) -> None:
    file = save(make_model("squeezenet"), tmp_path / f"cut.{ending}")
    whole = file.read_bytes()
    for damaged in (b"", b"no weights", whole[: len(whole) // 2]):
        file.write_bytes(damaged)
        with pytest.raises(UnfitWeights, match=r"^cut\.\w+ is damaged"):
            read_weights(file, "squeezenet")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"0.weight": None}, "features.0.weight is missing"),
        ({"0.weight": torch.zeros(64, 3, 5, 5)}, "features.0.weight is 64x3x5x5 and not 64x3x3x3"),
        ({"0.weight": torch.full((64, 3, 3, 3), float("nan"))}, "features.0.weight holds what is no finite number"),
        ({"99.weight": torch.zeros(1)}, "it has features.99.weight, which the network has not"),
    ],
    ids=["missing", "shape", "nan", "surplus"],
)
def test_what_does_not_fit_is_named(change: dict[str, torch.Tensor | None], says: str, tmp_path: Path) -> None:
    state = {**make_model("squeezenet").state_dict(), **change}
    torch.save({f"features.{name}": tensor for name, tensor in state.items() if tensor is not None}, tmp_path / "a.pth")
    with pytest.raises(UnfitWeights, match=r"^a\.pth does not hold the weights of squeezenet: ") as caught:
        read_weights(tmp_path / "a.pth", "squeezenet")
    assert says in str(caught.value)


def test_what_is_no_state_is_refused(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(UnfitWeights, match="is not the state_dict"):
        read_weights(tmp_path / "list.pth", "squeezenet")
