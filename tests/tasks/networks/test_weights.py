"""Networks and their weights, from the row to the picture: own files, torchvision's, and those that cannot be had."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from typer.testing import CliRunner
from upath import UPath

import stylebatch.tasks.networks.weights
from stylebatch.flows.cli import app
from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.nst.layers import IMAGENET, NETWORKS, ORIGINAL, NetworkName
from stylebatch.tasks.nst.weights import bundled_weights, read_weights
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import BadRow, check_rows
from stylebatch.tasks.progress import Watcher
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.stylizing import objective
from stylebatch.tasks.stylizing.judging import judge
from stylebatch.tasks.stylizing.stylize import stylize
from tests.random_weights import make_model, save
from tests.serving import Server, Silent, serving

CPU = Pool([Slot("cpu")])

PAIR = {"content": "images/coffee.jpg", "style": "styles/swirls.jpg", "size": 64, "steps": 3, "precision": "float32"}


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of weights that fit: the smallest network's."""
    return save(make_model("squeezenet"), tmp_path_factory.mktemp("weights") / "squeezenet.pth")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of torchvision's."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def attempt(samples: Path, *rows: dict[str, Any]) -> tuple[list[Job], list[BadRow]]:
    """Rows up to their jobs, as a run takes them, and those that were refused on the way."""
    manifest = Manifest(samples / "rows.csv", [{**PAIR, **row} for row in rows])
    pairs, bad_rows = check_rows(manifest, {})
    jobs, refused = make_jobs(manifest, pairs, Slot("cpu"))
    return jobs, [*bad_rows, *refused]


def job_of(samples: Path, **row: Any) -> Job:
    (job,), bad_rows = attempt(samples, row)
    assert bad_rows == []
    return job


def pixels(store: Store, job: Job) -> np.ndarray:
    return np.asarray(Image.open(store.picture(job.key, "png")))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> np.ndarray:
    """The pixels of the picture that the network makes which is used where none is named."""
    job, store = job_of(samples), Store(tmp_path_factory.mktemp("usual"))
    stylize(job, store, CPU)
    return pixels(store, job)


@pytest.mark.parametrize(
    ("network", "ending"),
    [
        pytest.param("vgg19-torchvision", "safetensors", marks=pytest.mark.slow),  # VGG-16's brother
        ("vgg16", "pth"),
        ("squeezenet", "pth"),
        ("mobilenet", "safetensors"),
    ],
)
def test_each_network_makes_a_picture_of_its_own(
    network: NetworkName, ending: str, tmp_path: Path, samples: Path, usual: np.ndarray
) -> None:
    weights, store = save(make_model(network), tmp_path / f"own.{ending}"), Store(tmp_path)
    job = job_of(samples, network=network, weights=str(weights))
    record = stylize(job, store, CPU)
    content = resize(load_picture(job.content), 64)
    assert not np.array_equal(pixels(store, job), usual)
    assert not np.array_equal(pixels(store, job), np.asarray(content))
    assert tuple(record.style_loss_by_layer) == NETWORKS[network].style_layers
    assert (record.weights_sha256, record.settings.network) == (sha256_of(weights), network)
    start, _ = judge(job, content, objective.to_tensor(content, "cpu"), content, Slot("cpu"))
    assert record.total_loss
    assert record.total_loss < start.total.item()


def test_other_weights_make_another_picture_wherever_they_lie(tmp_path: Path, samples: Path, squeezenet: Path) -> None:
    other = save(make_model("squeezenet", seed=4), tmp_path / "other.pth")
    copied = shutil.copy(squeezenet, tmp_path / "copied.pth")
    first, same, second = (
        job_of(samples, network="squeezenet", weights=str(file)) for file in (squeezenet, copied, other)
    )
    assert first.key == same.key != second.key
    store = Store(tmp_path)
    for job in (first, second):
        stylize(job, store, CPU)
    assert not np.array_equal(pixels(store, first), pixels(store, second))


def test_weights_lie_beside_the_manifest(tmp_path: Path, samples: Path, squeezenet: Path) -> None:
    shutil.copytree(samples / "images", tmp_path / "images")
    shutil.copytree(samples / "styles", tmp_path / "styles")
    (tmp_path / "weights").mkdir()
    shutil.copy(squeezenet, tmp_path / "weights" / "own.pth")
    job = job_of(tmp_path, network="squeezenet", weights="weights/own.pth")
    assert job.weights == tmp_path / "weights" / "own.pth"


def test_the_default_weights_mean_the_same_in_torchvisions_scale(tmp_path: Path, samples: Path) -> None:
    """The bundled weights, rewritten to take and to give what torchvision's do, give the losses of the original."""
    unit = IMAGENET.unit
    gain, shift = (torch.tensor(values) for values in (IMAGENET.gain, ORIGINAL.mean))
    state = read_weights(bundled_weights(), "vgg19")
    state["0.weight"] = state["0.weight"].flip(1) * (255 / gain / unit).view(1, 3, 1, 1)
    moved = (torch.tensor(IMAGENET.mean) - shift) * gain  # what the other mean adds to each channel
    state = {name: tensor / unit if name.endswith("bias") else tensor for name, tensor in state.items()}
    state["0.bias"] = state["0.bias"] + (state["0.weight"] * moved.view(1, 3, 1, 1)).sum((1, 2, 3))
    file = tmp_path / "rewritten.safetensors"
    safetensors.torch.save_file({f"features.{name}": tensor.contiguous() for name, tensor in state.items()}, file)
    original, rewritten = job_of(samples), job_of(samples, network="vgg19-torchvision", weights=str(file))
    decoded = resize(load_picture(original.content), 64)
    content = objective.to_tensor(decoded, "cpu")
    seen = resize(load_picture(samples / "images" / "rocket.jpg"), 64).resize((64, content.shape[-2]))
    (expected, figures), (found, same) = (
        judge(job, decoded, content, seen, Slot("cpu")) for job in (original, rewritten)
    )
    assert figures == same  # whatever network the losses are of
    assert found.content.item() == pytest.approx(expected.content.item(), rel=0.01)
    for layer, loss in expected.style.items():
        assert found.style[layer].item() == pytest.approx(loss.item(), rel=0.02)


# Files that are none


def bad_file(kind: str, folder: Path, fitting: Path) -> Path:
    file = folder / f"{kind}.pth"
    if kind == "cut":
        file.write_bytes(fitting.read_bytes()[:100_000])
    elif kind == "foreign":
        torch.save({"features.0.weight": torch.zeros(64, 3, 5, 5)}, file)
    elif kind == "pickle":
        torch.save(Path("not a tensor"), file)
    elif kind == "folder":
        file.mkdir()
    return file


@pytest.mark.parametrize("kind", ["missing", "cut", "foreign", "pickle", "folder"])
def test_a_bad_file_costs_its_rows_alone(kind: str, tmp_path: Path, samples: Path, squeezenet: Path) -> None:
    file = bad_file(kind, tmp_path, squeezenet)
    row = {"network": "squeezenet", "weights": str(file), "id": "x"}
    jobs, (bad,) = attempt(samples, {}, row)
    assert [job.row for job in jobs] == [1]
    assert (bad.row, bad.id) == (2, "x")
    ((column, message),) = bad.problems
    assert column == "weights"
    assert file.name in message


def test_the_bundled_weights_are_not_taken_for_another_network(samples: Path) -> None:
    _, (bad,) = attempt(samples, {"network": "vgg19-torchvision", "weights": str(bundled_weights())})
    assert "does not hold the weights of vgg19-torchvision" in bad.message


def test_weights_that_have_gone_or_changed_since_are_told(tmp_path: Path, samples: Path, squeezenet: Path) -> None:
    file = tmp_path / "own.pth"
    shutil.copy(squeezenet, file)
    job = job_of(samples, network="squeezenet", weights=str(file))
    save(make_model("squeezenet", seed=5), file)
    with pytest.raises(BadInput, match=r"^own\.pth was changed while the run was going on"):
        stylize(job, Store(tmp_path), CPU)
    manifest = Manifest(samples / "rows.csv", [PAIR, {**PAIR, "network": "squeezenet", "weights": str(file)}])
    pairs, _ = check_rows(manifest, {})
    file.unlink()
    jobs, (bad,) = make_jobs(manifest, pairs, Slot("cpu"))
    assert [job.row for job in jobs] == [1]
    assert [column for column, _ in bad.problems] == ["weights"]
    assert "own.pth" in bad.message


# torchvision's


class Shelf(Silent, SimpleHTTPRequestHandler):
    """Serves a folder, and counts."""

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, list[str]]]:
    """A real server in the place of torchvision's: the folder that it serves, and what it has been asked for."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    with serving(partial(Shelf, directory=str(folder))) as server:
        monkeypatch.setattr(stylebatch.tasks.networks.weights, "SOURCE", f"{server.address}/")
        yield folder, server.asked


def test_weights_are_downloaded_once(
    hub: Path, shelf: tuple[Path, list[str]], samples: Path, squeezenet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, asked = shelf
    name = f"own-{sha256_of(squeezenet)[:8]}.pth"
    monkeypatch.setitem(NETWORKS, "squeezenet", replace(NETWORKS["squeezenet"], download=name))
    shutil.copy(squeezenet, folder / name)
    row = {"network": "squeezenet"}
    seen: list[tuple[str, int, int]] = []
    monkeypatch.setattr(Watcher, "fetching", lambda _, *far: seen.append(far))
    for _ in range(2):
        jobs, bad_rows = attempt(samples, row, {**row, "steps": 4}, {})
        assert bad_rows == []
        assert [job.weights for job in jobs] == [hub / name, hub / name, bundled_weights()]
        assert jobs[0].weights_sha256 == sha256_of(squeezenet)
    assert asked == [f"/{name}"]
    size = squeezenet.stat().st_size
    assert seen[-1] == (name, size, size)
    assert len(seen) == -(-size // stylebatch.tasks.networks.weights.BLOCK)
    assert [file.name for file in hub.iterdir()] == [name]


def test_a_download_that_is_not_what_it_should_be_is_not_kept(
    hub: Path, shelf: tuple[Path, list[str]], samples: Path
) -> None:
    folder, _ = shelf
    (folder / NETWORKS["squeezenet"].download).write_bytes(b"something else")
    _, (bad,) = attempt(samples, {"network": "squeezenet"})
    assert (
        "weights: squeezenet needs weights that cannot be downloaded: what came is not what its name says"
        in bad.message
    )
    assert list(hub.iterdir()) == []


def test_what_cannot_be_reached_is_told_with_what_to_do(
    hub: Path, shelf: tuple[Path, list[str]], samples: Path
) -> None:
    row = {"network": "squeezenet"}
    _, asked = shelf
    jobs, refused = attempt(samples, row, {}, {**row, "steps": 4})
    assert ([job.row for job in jobs], [bad.row for bad in refused]) == ([2], [1, 3])
    assert len(asked) == 1, "a row tried again what another had tried in vain"
    for bad in refused:
        ((column, message),) = bad.problems
        assert column == "weights"
        for part in (
            "File not found",
            stylebatch.tasks.networks.weights.SOURCE + "squeezenet1_1-b8a52dc0.pth",
            str(hub),
            "--set weights=FILE",
        ):
            assert part in message
    assert not hub.exists() or list(hub.iterdir()) == []


def test_a_connection_that_falls_silent_is_given_up(hub: Path, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(stylebatch.tasks.networks.weights, "SOURCE", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        monkeypatch.setattr(stylebatch.tasks.networks.weights, "PATIENCE", 0.2)
        _, (bad,) = attempt(samples, {"network": "vgg16"})
    assert "cannot be downloaded: timed out" in bad.message


def test_an_unused_port_is_told_too(hub: Path, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Silent) as server:
        address = f"{server.address}/"
    monkeypatch.setattr(stylebatch.tasks.networks.weights, "SOURCE", address)
    _, (bad,) = attempt(samples, {"network": "vgg16"})
    assert "Connection refused" in bad.message
    assert f"put {address}vgg16-397923af.pth into {hub}" in bad.message


def test_a_file_that_is_there_and_damaged_is_told(hub: Path, samples: Path) -> None:
    hub.mkdir(parents=True)
    (hub / NETWORKS["squeezenet"].download).write_bytes(b"half a file")
    manifest = Manifest(samples / "rows.csv", [{**PAIR, "network": "squeezenet"}, PAIR])
    pairs, (bad,) = check_rows(manifest, {})
    assert [pair.row for pair in pairs] == [2]
    ((column, message),) = bad.problems
    assert column == "weights"
    assert str(hub / NETWORKS["squeezenet"].download) in message
    assert "delete it" in message


def test_check_says_what_a_run_would_download(hub: Path, tmp_path: Path, samples: Path) -> None:
    pair = f"content: {samples}/images/coffee.jpg, style: {samples}/styles/swirls.jpg, size: 64"
    (tmp_path / "rows.yaml").write_text(f"pairs: [{{{pair}, network: squeezenet}}, {{{pair}}}]\n")
    said = CliRunner().invoke(app, ["check", str(tmp_path / "rows.yaml")])
    assert said.exit_code == 0
    assert "2 rows: 2 good, 0 bad" in said.output
    url = "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth"
    assert f"a run downloads {url} into {hub}" in said.output
    listed = json.loads(CliRunner().invoke(app, ["check", str(tmp_path / "rows.yaml"), "--json"]).output)
    assert listed["downloads"] == [{"url": url, "file": str(hub / "squeezenet1_1-b8a52dc0.pth")}]
    assert not hub.exists()


def test_a_worker_takes_its_own_copy_of_what_is_not_the_manifests(tmp_path: Path) -> None:
    elsewhere, own = Path("/elsewhere/site-packages/vgg19.bin"), UPath("s3://bucket/own.pth")
    assert stylebatch.tasks.networks.weights.weights_here(Settings(), elsewhere) == bundled_weights()
    assert stylebatch.tasks.networks.weights.weights_here(Settings(), bundled_weights()) == bundled_weights()
    assert stylebatch.tasks.networks.weights.weights_here(Settings(weights="own.pth"), elsewhere) == elsewhere
    assert stylebatch.tasks.networks.weights.weights_here(Settings(weights="s3://bucket/own.pth"), own) == own
