"""Trainings for a collection: to their end or killed, and what cannot be one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.networks.models import read_any_style, read_model, read_trained
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.progress import Watcher, watcher
from stylebatch.tasks.request.collections import digest
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.training.collection_session import CollectionSession
from stylebatch.tasks.training.files import checkpoint_of
from stylebatch.tasks.training.request import COLLECTION_STEPS, File, Request, make_request
from stylebatch.tasks.training.training import train_network
from tests.tasks.training.conftest import SETTINGS

SLOT = Slot("cpu", threads=1)


@pytest.fixture(scope="module")
def collection(paintings: Path) -> Sequence[File]:
    return [(path, sha256_of(path)) for path in sorted(paintings.glob("*.png"))]


@pytest.fixture(scope="module")
def request_(collection: Sequence[File], contents: Sequence[File]) -> Request:
    return make_request(collection, contents, SETTINGS, "cpu", steps=3, method="cyclegan")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, request_: Request) -> Path:
    """A network from a training that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole") / "painters.safetensors"
    train_network.fn(request_, out, SLOT)
    return out


class Killer(Watcher):
    """Ends the process's work, as a signal would, after the second step; what it was told before is kept."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, float]] = []

    def training(self, step: int, steps: int, loss: float, judged: Mapping[str, float]) -> None:
        self.told.append(judged)
        if step == 3:
            raise KeyboardInterrupt


def test_a_training_leaves_a_network_that_says_what_it_is(
    whole: Path, request_: Request, collection: Sequence[File]
) -> None:
    trained = read_trained(whole)
    assert trained.is_of_collection
    assert trained.style == "a collection of 8 paintings"
    assert set(trained.paintings) == {sha256 for _, sha256 in collection}
    assert trained.style_sha256 == digest(trained.paintings)
    assert (trained.contents, trained.styles, trained.held_out) == (3, 7, 1)
    assert (trained.steps, trained.samples, trained.smallest, trained.largest) == (3, 3, 48, 80)
    assert trained.distance is not None
    assert 0 < trained.distance < 1.5
    assert whole.stat().st_size < 4e6
    assert isinstance(read_model(whole), CollectionNetwork)
    assert Image.open(whole.with_name("painters.preview.png")).size == (64, 3 * 64)
    with pytest.raises(BadInput, match="no other style can be learned from there"):
        read_any_style(whole)


def test_a_training_that_is_killed_goes_on_and_ends_with_the_same_network(
    whole: Path, request_: Request, tmp_path: Path
) -> None:
    out, killer = tmp_path / "killed.safetensors", Killer()
    token = watcher.set(killer)
    try:
        with pytest.raises(KeyboardInterrupt):
            train_network.fn(request_, out, SLOT)
    finally:
        watcher.reset(token)
    assert checkpoint_of(out).exists()
    assert set(killer.told[-1]) == {"structure", "distance to the paintings"}
    _, curve = train_network.fn(request_, out, SLOT)
    assert [point.samples for point in curve] == [1, 2, 3]
    assert all(0 < point.structure <= 1 for point in curve)
    first, second = (safetensors.torch.load_file(file) for file in (whole, out))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_number_of_cores_does_not_decide_the_network(request_: Request) -> None:
    states = []
    for threads in (1, 2):
        with CollectionSession(request_, Slot("cpu", threads=threads)) as session:
            session.take()
            states.append(session.network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_networks_begin_at_the_mean_colours_of_what_they_are_to_make(request_: Request) -> None:
    def colour(files: Sequence[File]) -> Tensor:
        return torch.tensor(np.mean([np.array(Image.open(str(path))).mean((0, 1)) / 255 for path, _ in files], 0))

    with CollectionSession(request_, SLOT) as session:
        begun, judged = session._trainer, session._held_out.judge(session.network)
    for network, learned in ((begun.painter, request_.styles[1:]), (begun.photographer, request_.contents[1:])):
        found, wanted = network.statistics[0, :3].double(), colour(learned)
        torch.testing.assert_close(found, wanted, rtol=0, atol=0.02)
    assert torch.equal(begun.average.statistics, begun.painter.statistics)
    assert judged.loss < 0.95
    assert 0.7 < judged.structure < 0.99


def test_a_training_that_diverges_is_told(request_: Request) -> None:
    with CollectionSession(request_, SLOT) as session:
        with torch.no_grad():
            session._trainer.painter.gains[0, 0] = float("nan")
        with pytest.raises(BadInput, match="has diverged"):
            session.take()


@pytest.mark.parametrize(("count", "told"), [(1, "is 1"), (7, "are 7")])
def test_too_few_paintings_are_refused(
    count: int, told: str, collection: Sequence[File], contents: Sequence[File]
) -> None:
    twice = [*collection[:count], *collection[:count]]
    with pytest.raises(BadRequest, match=f"8 different paintings at least, and here {told}"):
        make_request(twice, contents, SETTINGS, "cpu", method="cyclegan")


def test_a_broken_or_narrow_painting_among_them_is_told_before_the_training(
    request_: Request, collection: Sequence[File], tmp_path: Path
) -> None:
    torn, narrow = tmp_path / "torn.png", tmp_path / "narrow.png"
    torn.write_bytes(collection[0][0].read_bytes()[:900])
    Image.new("RGB", (300, 60)).save(narrow)
    for path, message in ((torn, r"torn.png is truncated or damaged"), (narrow, r"narrow.png would be 48x10 px")):
        with pytest.raises(BadInput, match=message):
            CollectionSession(replace(request_, styles=[*collection, (path, sha256_of(path))]), SLOT)


def test_what_decides_the_network_decides_the_digest(
    request_: Request, collection: Sequence[File], contents: Sequence[File]
) -> None:
    others = [
        make_request(collection, contents, SETTINGS, "cpu", steps=3),
        replace(request_, styles=[*collection[1:], (Path("more.png"), "ab" * 32)]),
        replace(request_, settings=request_.settings.model_copy(update={"content_weight": 2.0})),
    ]
    assert len({request.key for request in (request_, *others)}) == 4
    assert make_request(collection, contents, SETTINGS, "cpu", method="cyclegan").steps == COLLECTION_STEPS
