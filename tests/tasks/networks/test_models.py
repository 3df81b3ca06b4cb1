"""Files of trained networks: written and read back, and what is said of those that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.bundled import BUNDLED, model_here
from stylebatch.tasks.networks.model_check import far_from_training
from stylebatch.tasks.networks.models import (
    META,
    Trained,
    described,
    load_model,
    load_trained,
    read_model,
    read_trained,
    write_model,
)
from stylebatch.tasks.nst.any_style import AnyStyleNetwork, Architecture
from stylebatch.tasks.nst.condition import WIDTH
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import sha256_of


def trained(network: AnyStyleNetwork) -> Trained:
    return Trained(
        architecture=described(network),
        style="night.jpg",
        style_sha256="ab" * 32,
        settings=Settings(size=64),
        contents=7,
        styles=1,
        held_out=1,
        steps=10,
        samples=40,
        seconds=3.5,
        structure=0.7,
        style_distance=0.4,
        smallest=128,
        largest=512,
    )


@pytest.fixture
def network() -> AnyStyleNetwork:
    return AnyStyleNetwork(Architecture(outer=8, middle=8, trunk=8, blocks=1, width=8))


@pytest.fixture
def file(tmp_path: Path, network: AnyStyleNetwork) -> Path:
    write_model(tmp_path / "night.safetensors", network, trained(network))
    return tmp_path / "night.safetensors"


@torch.no_grad()
def test_what_is_written_is_read_back(file: Path, network: AnyStyleNetwork) -> None:
    assert read_trained(file) == trained(network)
    picture = torch.rand(1, 3, 32, 32)
    condition = torch.rand(1, WIDTH)
    assert torch.equal(read_model(file)(picture, condition), network.half().float()(picture, condition))


def test_half_of_the_memory_is_enough(file: Path, network: AnyStyleNetwork) -> None:
    assert file.stat().st_size < 2.5 * sum(one.numel() for one in network.state_dict().values()) + 8000


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"there is no file gone.safetensors"):
        read_trained(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 200, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_told(file: Path, kept: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(kept * len(data)) if 0 < kept < 1 else int(kept)])
    with pytest.raises(BadInput, match=r"night.safetensors is damaged"):
        read_model(file)


def test_noise_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "noise.safetensors").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(BadInput, match=r"noise.safetensors is damaged, or no trained network"):
        read_model(tmp_path / "noise.safetensors")


def test_another_programs_weights_are_no_network(tmp_path: Path) -> None:
    safetensors.torch.save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors", {"format": "pt"})
    with pytest.raises(BadInput, match="no network that `stylebatch train` has written"):
        read_model(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "stylebatch-any-style-9"}, "this version reads"),
        ({"format": "stylebatch-collection-1"}, r"has the format 'stylebatch-collection-1'.*: train it again"),
        ({"architecture": {"outer": 16, "middle": 8, "trunk": 8, "blocks": 1, "width": 8}}, "is damaged"),
        ({"architecture": {"wings": 2}}, "is damaged"),
        ({"architecture": {"outer": 0, "trunk": 8, "blocks": 1}}, "is damaged: 0 for outer"),
        (
            {"architecture": {"outer": 8, "trunk": 8, "blocks": 10_000_000}},
            "is damaged: 10000000 for blocks",
        ),
        ({"steps": "many"}, "another version, or is damaged: steps"),
    ],
)
def test_what_does_not_fit_is_told(file: Path, change: dict[str, object], message: str) -> None:
    with safetensors.safe_open(file, "pt") as opened:
        said = json.loads(opened.metadata()[META])
    tensors = safetensors.torch.load_file(file)
    safetensors.torch.save_file(tensors, file, {META: json.dumps({**said, **change})})
    with pytest.raises(BadInput, match=message):
        read_model(file)


def test_a_network_without_finite_weights_is_told(tmp_path: Path, network: AnyStyleNetwork) -> None:
    with torch.no_grad():
        network.painter.weight[0, 0] = float("nan")
    write_model(tmp_path / "nan.safetensors", network, trained(network))
    with pytest.raises(BadInput, match="no finite number"):
        read_model(tmp_path / "nan.safetensors")


def test_a_network_that_changed_during_the_run_is_told(file: Path) -> None:
    load_model(file, sha256_of(file), "cpu")
    with pytest.raises(BadInput, match="was changed while the run was going on"):
        load_model(file, "0" * 64, "cpu")


def test_a_worker_takes_its_own_copy_of_the_network_that_comes_along(tmp_path: Path) -> None:
    assert model_here(tmp_path / "elsewhere" / BUNDLED.name) == BUNDLED
    assert model_here(tmp_path / "mine.safetensors") == tmp_path / "mine.safetensors"


def test_the_network_that_comes_along_is_for_any_style_and_small() -> None:
    assert read_trained(BUNDLED).style_sha256 == ""
    assert BUNDLED.stat().st_size < 6e6
    read_model(BUNDLED)


@pytest.mark.parametrize(("longer", "far"), [(127, True), (128, False), (512, False), (513, True)])
def test_a_tuned_network_knows_for_which_sizes_it_was_trained(network: AnyStyleNetwork, longer: int, far: bool) -> None:
    assert trained(network).is_far(longer) is far
    assert not trained(network).model_copy(update={"style": "", "style_sha256": ""}).is_far(longer)


def test_rows_of_other_sizes_are_told(file: Path) -> None:
    rows = [Settings(engine="feedforward", model=file.name, size=size) for size in (256, 1024, 1024, 64)]
    unknown = Settings(engine="feedforward", model=file.name, size="original")
    assert far_from_training([*rows, unknown, Settings(size=4096)], lambda name: file.parent / name) == [
        "2 rows paint with night.safetensors at size=1024, and it was tuned for 128 to 512 px: its strokes will look "
        "too fine; tune one with --set size=1024",
        "1 row paints with night.safetensors at size=64, and it was tuned for 128 to 512 px: its strokes will look "
        "too coarse; tune one with --set size=64",
    ]


def test_a_file_that_has_changed_is_no_network_even_where_its_words_are_known(file: Path) -> None:
    digest = sha256_of(file)
    assert load_trained(file, digest).style == "night.jpg"
    file.write_bytes(file.read_bytes() + b"more")
    with pytest.raises(BadInput, match="was changed while the run was going on"):
        load_model(file, digest, "cpu")
