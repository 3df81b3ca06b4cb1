"""Trainings for a collection: to their end or killed, and what cannot be one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from unittest import mock

import pytest
import safetensors.torch
import torch
from PIL import Image

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.networks.models import read_any_style, read_model, read_trained
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.condition import LOOKED_AT, look_at
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.progress import Watcher, watcher
from stylebatch.tasks.request.collections import digest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.stylizing.objective import to_tensor
from stylebatch.tasks.training.collection_session import CollectionSession
from stylebatch.tasks.training.course import Judgement
from stylebatch.tasks.training.files import checkpoint_of
from stylebatch.tasks.training.request import COLLECTION_STEPS, File, Request, make_request, piece_side
from stylebatch.tasks.training.training import train_network
from tests.tasks.training.conftest import SETTINGS

SLOT = Slot("cpu", threads=1)


@pytest.fixture(scope="module")
def collection(paintings: Path) -> Sequence[File]:
    return [(path, sha256_of(path)) for path in sorted(paintings.glob("*.png"))]


@pytest.fixture(scope="module")
def request_(collection: Sequence[File], contents: Sequence[File], start: File) -> Request:
    return make_request(collection, contents, SETTINGS, "cpu", start, steps=3, method="one-way")


@pytest.fixture(scope="module")
def cycle(request_: Request) -> Request:
    return replace(request_, method="cyclegan")


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
    assert (trained.steps, trained.samples, trained.smallest, trained.largest) == (3, 12, 42, 96)
    assert trained.distance is not None
    assert 0 < trained.distance < 1.5
    assert whole.stat().st_size < 4e6
    assert isinstance(read_model(whole), CollectionNetwork)
    assert Image.open(whole.with_name("painters.preview.png")).size == (64, 3 * 64)
    with pytest.raises(BadInput, match="no other style can be learned from there"):
        read_any_style(whole)


@pytest.mark.slow
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
    assert [point.samples for point in curve] == [4, 8, 12]
    assert all(0 < point.structure <= 1 for point in curve)
    first, second = (safetensors.torch.load_file(file) for file in (whole, out))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_the_number_of_cores_does_not_decide_the_network(request_: Request) -> None:
    states = []
    for threads in (1, 2):
        with CollectionSession(request_, Slot("cpu", threads=threads)) as session:
            session.take()
            states.append(session.network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@torch.no_grad()
def test_networks_begin_as_the_one_to_start_from_that_is_told_the_mean_of_what_they_are_to_make(
    cycle: Request, start: File
) -> None:
    encoder, given = Encoder(LOOKED_AT), read_any_style(start[0])
    picture = torch.rand(1, 3, 48, 64)
    with CollectionSession(cycle, SLOT) as session:
        painter, photographer = (way.network for way in session._trainer.ways)
        pictures = session._photographs
    assert torch.equal(session.network(picture), painter(picture))
    for network, learned in ((painter, pictures.styles), (photographer, pictures.contents)):
        shown = [to_tensor(resize(one, 64), "cpu") for one in learned]
        mean = torch.cat([look_at(encoder, one) for one in shown]).mean(0, keepdim=True)
        torch.testing.assert_close(network(picture), given(picture, mean), rtol=0, atol=1e-4)


def test_pieces_are_squares_of_the_sizes_that_pictures_are_painted_at(request_: Request) -> None:
    assert request_.sides_for(300, 200) == pytest.approx((64, 96))
    assert request_.sides_for(200, 200) == pytest.approx((2 / 3 * 64, 64))
    assert [piece_side(size) for size in (64, 96, 192, 256)] == [42, 64, 128, 128]
    smaller = replace(request_, settings=request_.settings.model_copy(update={"style_scale": 0.8}))
    with CollectionSession(smaller, SLOT) as session:
        pieces = session._pieces(Random(1), session._photographs.contents, 1.0)
        assert pieces.shape == (4, 3, 42, 42)
        assert session._pieces(Random(1), session._photographs.styles, 0.8).shape == (4, 3, 34, 34)
        assert torch.equal(pieces, session._pieces(Random(1), session._photographs.contents, 1.0))


def test_a_network_counts_once_the_rate_falls(request_: Request) -> None:
    """Before, the strokes are on their way, and the nearest by the measure may be the one that has learned nothing."""
    with CollectionSession(replace(request_, steps=100), SLOT) as session:
        for step, distance in ((40, 0.1), (50, 0.5), (60, 0.4), (70, 0.6), (94, 0.6)):
            session._trainer.step, session._since = step, [1.0]
            with mock.patch.object(session._held_out, "judge", return_value=Judgement(distance, 0.7, 0.5)):
                session.validate()
            assert not session.is_over
        assert session._best[0] == 0.4
        session._trainer.step = 96
        assert session.is_over


def test_a_training_that_diverges_is_told(request_: Request) -> None:
    with CollectionSession(request_, SLOT) as session:
        with torch.no_grad():
            session._trainer.ways[0].network.gains[0, 0] = float("nan")
        with pytest.raises(BadInput, match="has diverged"):
            session.take()


@pytest.mark.parametrize(("count", "told"), [(1, "is 1"), (7, "are 7")])
def test_too_few_paintings_are_refused(
    count: int, told: str, collection: Sequence[File], contents: Sequence[File]
) -> None:
    twice = [*collection[:count], *collection[:count]]
    with pytest.raises(BadRequest, match=f"8 different paintings at least, and here {told}"):
        make_request(twice, contents, SETTINGS, "cpu", method="one-way")


def test_pictures_too_small_for_a_critic_are_refused(collection: Sequence[File], contents: Sequence[File]) -> None:
    for settings in (Settings(size=40), Settings(size=64, style_scale=0.5)):
        with pytest.raises(BadRequest, match="less than 32 px on the shorter side; raise size"):
            make_request(collection, contents, settings, "cpu", method="cyclegan")


def test_a_broken_or_narrow_painting_among_them_is_told_before_the_training(
    request_: Request, collection: Sequence[File], tmp_path: Path
) -> None:
    torn, narrow = tmp_path / "torn.png", tmp_path / "narrow.png"
    torn.write_bytes(collection[0][0].read_bytes()[:900])
    Image.new("RGB", (300, 60)).save(narrow)
    for path, message in ((torn, r"torn.png is truncated or damaged"), (narrow, r"narrow.png would be 42x8 px")):
        with pytest.raises(BadInput, match=message):
            CollectionSession(replace(request_, styles=[*collection, (path, sha256_of(path))]), SLOT)


def test_what_decides_the_network_decides_the_digest(
    request_: Request, cycle: Request, collection: Sequence[File], contents: Sequence[File], start: File
) -> None:
    others = [
        cycle,
        replace(request_, start=None),
        make_request(collection, contents, SETTINGS, "cpu", start, steps=3),
        replace(request_, styles=[*collection[1:], (Path("more.png"), "ab" * 32)]),
        replace(request_, settings=request_.settings.model_copy(update={"content_weight": 2.0})),
    ]
    assert len({request.key for request in (request_, *others)}) == 6
    for method, steps in COLLECTION_STEPS.items():
        assert make_request(collection, contents, SETTINGS, "cpu", method=method).steps == steps
