"""How the network that comes along is trained (`manifests/models/train.py`): small, and on a processor."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylebatch.tasks.networks.models import read_any_style, read_trained
from stylebatch.tasks.nst.any_style import AnyStyleNetwork, Architecture
from stylebatch.tasks.nst.condition import LOOKED_AT, MOMENTS
from stylebatch.tasks.nst.criterion import Criterion
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.goals import between, look, style_of
from stylebatch.tasks.nst.ground import optimal_transport, statistics
from stylebatch.tasks.nst.style_distance import relative_distance
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.training.session import CONTENT
from tests.conftest import ROOT

SIDE = 64
NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    """The script as a module, with crops of 64 px, two a step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "manifests" / "models")
        module = importlib.import_module("train")
        patch.setattr(module, "CROPS", {SIDE: 1.0})
        patch.setattr(module, "PIXELS", 2 * SIDE**2)
        patch.setattr(module, "SIZE", SIDE)
        yield module


def part(script: ModuleType, name: str) -> Any:
    """A module of the package beside the script, which lies where Python looks only while that is there."""
    assert script
    return importlib.import_module(f"batched.{name}")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two contents and two styles: noise in squares, 72 to 128 px."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    for name, size in {
        "content-1": (128, 96),
        "content-2": (80, 72),
        "style-1": (96, 96),
        "style-2": (100, 128),
    }.items():
        squares = Image.fromarray(noise.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        squares.resize(size, Image.Resampling.NEAREST).save(folder / f"{name}.png")
    return folder


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=[pytest.mark.cuda, NEEDS_GPU])])
def test_the_file_is_read_and_paints(
    device: str, script: Any, pictures: Path, small_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda")
    monkeypatch.setattr(script, "monotonic", count().__next__)  # a second a look: there is time for two steps
    optimizer = part(script, "optimizer")
    monkeypatch.setattr(optimizer, "WARM_UP", 1)
    monkeypatch.setattr(optimizer, "MEMORY", 0.0)  # else nothing of so few steps would be left in half precision
    out = tmp_path / "any.safetensors"
    globs = ["--contents", f"{pictures}/content-*.png", "--styles", f"{pictures}/style-*.png"]
    script.main([*globs, "--out", str(out), "--seconds", "3", "--content-weight", "0.8", "--start", str(small_network)])
    trained, before = read_trained(out), read_any_style(small_network)
    captured = part(script, "graphs").WARM if device == "cuda" else 0  # steps that come before the graph
    assert (trained.steps, trained.samples) == (2 + captured, 2 * (2 + captured))
    assert (trained.contents, trained.styles, trained.held_out, trained.style_sha256) == (1, 1, 1, "")
    assert trained.settings.content_weight == pytest.approx(0.8 / CONTENT)  # in the unit of `stylebatch train`
    assert 0 < trained.structure < 1
    network = read_any_style(out)
    for one in ("painter", "modulator"):
        assert not torch.equal(getattr(network, one).weight, getattr(before, one).weight)
    with torch.no_grad():
        told = torch.cat([torch.ones(1, MOMENTS), statistics(torch.rand(1, 3, 48, 48))], 1)
        painted = network(torch.rand(1, 3, 40, 48), told)
    assert painted.shape == (1, 3, 40, 48)
    assert painted.std() > 0.01


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--out": "nowhere/any.safetensors"}, "there is no folder nowhere"),
        ({"--seconds": "0"}, "--seconds: 0 is no number above 0"),
        ({"--styles": "{pictures}/style-1.png"}, "style-1.png is all there is: give two different pictures at least"),
        ({"--contents": "{pictures}/*.gif"}, "--contents: nothing matches"),
    ],
)
def test_what_cannot_be_carried_out_is_told(
    script: Any, pictures: Path, changed: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    globs = {"--contents": "{pictures}/content-*.png", "--styles": "{pictures}/style-*.png"}
    asked = {**globs, "--out": "{pictures}/any.safetensors", "--seconds": "1", **changed}
    with pytest.raises(SystemExit):
        script.main([word.format(pictures=pictures) for option in asked.items() for word in option])
    assert message in capsys.readouterr().err


def test_too_small_a_picture_is_told(script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2):
        Image.new("RGB", (32, 32), (number, 0, 0)).save(tmp_path / f"{number}.png")
    globs = ["--contents", f"{tmp_path}/*.png", "--styles", f"{tmp_path}/*.png"]
    with pytest.raises(SystemExit):
        script.main([*globs, "--out", str(tmp_path / "any.safetensors"), "--seconds", "1"])
    assert "none of 1 pictures is large enough for crops of 64 px" in capsys.readouterr().err


def test_a_crop_is_a_part_of_a_picture_at_one_of_its_scales(script: Any, pictures: Path) -> None:
    file = pictures / "style-1.png"
    crops = part(script, "crops").Crops([file], [SIDE], "cpu", Random(1))
    places = crops.draw(60, SIDE)
    cuts = (crops.cut(places, SIDE, light=0) * 255).round().byte()
    scales = {side: np.asarray(resize(Image.open(file), side)) for side in (64, 81, 102)}
    seen = set()
    for (_, width, top, left, mirrored, *channels), cut in zip(places.T.tolist(), cuts, strict=True):
        expected = scales[width][top : top + SIDE, left : left + SIDE][..., channels]
        assert np.array_equal(cut.permute(1, 2, 0), expected[:, ::-1] if mirrored else expected)
        seen |= {width, bool(mirrored), str(channels == [0, 1, 2])}
    assert seen == {64, 81, 102, False, True, "False", "True"}


def test_the_same_is_painted_as_by_the_network_of_the_product(script: Any) -> None:
    torch.manual_seed(1)
    network = AnyStyleNetwork(Architecture(outer=8, middle=8, trunk=16, blocks=1, width=16))
    torch.nn.init.normal_(network.painter.weight, std=0.3)
    batched = part(script, "network").BatchedNetwork(network.architecture)
    batched.load_state_dict(network.state_dict())
    condition = torch.cat([torch.rand(3, MOMENTS), statistics(torch.rand(3, 3, 48, 48))], 1)
    pictures = torch.rand(3, 3, 40, 52) * torch.tensor([1.0, 0.3, 0.1]).view(3, 1, 1, 1)
    with torch.no_grad():
        torch.testing.assert_close(batched(pictures, condition), network(pictures, condition), rtol=0, atol=1e-4)


def test_transports_are_found_without_eigenvalues(script: Any) -> None:
    torch.manual_seed(3)
    strengths = torch.logspace(-0.5, -2, 20, dtype=torch.double).view(-1, 1, 1)
    colours = strengths * torch.randn(2, 20, 3, 3, dtype=torch.double)
    sources, targets = colours @ colours.mT + 1e-4 * torch.eye(3, dtype=torch.double)
    root, inverse = part(script, "roots").roots(sources)
    torch.testing.assert_close(root @ root, sources)
    torch.testing.assert_close(root @ inverse, torch.eye(3, dtype=torch.double).expand_as(root))
    found = part(script, "roots").transport_by_iteration(sources, targets)
    for move in (found, optimal_transport(sources, targets)):
        assert (relative_distance(move @ sources @ move, targets) < 0.01).all()
        torch.testing.assert_close(move, move.mT)


def test_the_loss_of_a_batch_is_the_mean_of_its_samples_losses(script: Any) -> None:
    torch.manual_seed(2)
    encoder, goals = Encoder(LOOKED_AT), part(script, "goals")
    contents, paintings, painted = torch.rand(3, 2, 3, 48, 40)
    paintings[1] *= 0.2
    features, share = look(encoder, paintings), 0.3
    styles = goals.styles_of(features, paintings)
    wanted = goals.blended(styles, goals.neighbours(styles), torch.tensor([share, 0.0]))
    arrangement = {layer: BALANCED.view(one) for layer, one in look(encoder, contents).items()}
    found = part(script, "criterion").BatchedCriterion(0.25, 1.0, 8e-4).terms(encoder, painted, arrangement, wanted)

    first, second = (style_of(look(encoder, one), one) for one in paintings.split(1))
    each = [
        Criterion(0.25, 1.0, 8e-4).terms(encoder, painted[n : n + 1], own, style)
        for n, style in enumerate((between(first, second, share), second))
        for own in [{layer: one[n : n + 1] for layer, one in arrangement.items()}]
    ]
    for name in ("content", "style", "tv"):
        mean = torch.stack([getattr(terms, name) for terms in each]).mean()
        torch.testing.assert_close(getattr(found, name), mean, rtol=1e-4, atol=1e-6)
    conditions = torch.cat([between(first, second, share).condition, second.condition])
    torch.testing.assert_close(wanted.condition, conditions, rtol=1e-4, atol=1e-4)
