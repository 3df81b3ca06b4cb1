"""Trainings in one process and in several, to their end or not."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from PIL import Image

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.models import read_model, read_trained
from stylebatch.tasks.progress import Watcher, watcher
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.training.checkpoint import Checkpoint
from stylebatch.tasks.training.files import checkpoint_of
from stylebatch.tasks.training.request import File, Request
from stylebatch.tasks.training.samples import Sample
from stylebatch.tasks.training.session import BATCH, Point, Session
from stylebatch.tasks.training.training import train_network

SLOT = Slot("cpu", threads=1)


class Killer(Watcher):
    """Ends the process's work, as a signal would, when a training has come to a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def training(self, step: int, steps: int, loss: float, structure: float, style_distance: float) -> None:
        if step == self.step:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tuning: Request) -> Path:
    """A network from a training that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole") / "night.safetensors"
    train_network.fn(tuning, out, SLOT)
    return out


def test_a_training_leaves_a_network_that_says_what_it_is(whole: Path, tuning: Request) -> None:
    trained = read_trained(whole)
    assert (trained.style, trained.style_sha256) == (tuning.name, tuning.styles[0][1])
    assert (trained.contents, trained.held_out, trained.styles) == (3, 1, 1)
    assert (trained.steps, trained.samples) == (4, 4 * BATCH)
    assert (trained.smallest, trained.largest) == (32, 96)
    assert 0 < trained.structure < 1
    assert trained.style_distance > 0
    assert sorted(file.name for file in whole.parent.iterdir()) == ["night.preview.png", "night.safetensors"]
    assert Image.open(whole.with_name("night.preview.png")).size == (128, 128), (
        "the style above, the content and what is painted below"
    )


@pytest.mark.slow
def test_a_training_that_is_killed_goes_on_and_ends_with_the_same_network(
    whole: Path, tuning: Request, tmp_path: Path
) -> None:
    out = tmp_path / "killed.safetensors"
    for step in (3, 4):  # killed in between two checkpoints, and once more after it went on
        token = watcher.set(Killer(step))
        try:
            with pytest.raises(KeyboardInterrupt):
                train_network.fn(tuning, out, SLOT)
        finally:
            watcher.reset(token)
        assert checkpoint_of(out).exists()
        assert not out.exists()
    trained, curve = train_network.fn(tuning, out, SLOT)
    assert [point.samples for point in curve] == [BATCH * step for step in range(1, 5)]
    assert trained.steps == 4
    assert not checkpoint_of(out).exists()
    first, second = (safetensors.torch.load_file(file) for file in (whole, out))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("kind", ["damaged", "another's"])
def test_a_checkpoint_that_is_no_good_is_not_gone_on_from(
    kind: str, whole: Path, tuning: Request, tmp_path: Path
) -> None:
    out = tmp_path / "night.safetensors"
    if kind == "damaged":
        checkpoint_of(out).write_bytes(whole.read_bytes()[:3000])
    else:
        safetensors.torch.save_file(
            {"now.network.painter.weight": torch.zeros(3)},
            out.with_name("night.safetensors.checkpoint"),
            {"stylebatch": json.dumps({"digest": "ab" * 32, "numbers": {}})},
        )
    with Session(tuning, SLOT) as session:
        session.resume(Checkpoint(checkpoint_of(out), tuning.digest))
        assert session.step == 0


def test_any_style_is_learned_in_the_same_way(learning: Request, tmp_path: Path) -> None:
    out = tmp_path / "any.safetensors"
    trained, curve = train_network.fn(replace(learning, steps=2), out, SLOT)
    assert (trained.style, trained.style_sha256) == ("", "")
    assert (trained.styles, trained.held_out) == (2, 1)
    assert len(curve) == 2
    assert read_model(out)


def test_a_new_network_measures_what_it_is_told_by_its_styles(learning: Request) -> None:
    with Session(replace(learning, start=None), SLOT) as session:
        assert session.network.told_mean.abs().sum() > 0
        assert session.network.told_std.min() == pytest.approx(0.05)
        assert session.network.told_std.max() > 0.05


def test_a_training_ends_when_nothing_gets_better(tuning: Request) -> None:
    with Session(replace(tuning, steps=100), SLOT) as session:
        figures = {"seconds": 1.0, "loss": 1.0, "structure": 0.5, "style_distance": 0.5}
        best = Point(samples=10 * BATCH, held_out=0.9, **figures)
        session.curve = [Point(samples=5 * BATCH, held_out=1.0, **figures), best]
        session._trainer.step = 45
        assert not session.is_over
        session._trainer.step = 46
        assert session.is_over


def test_a_training_that_diverges_is_told(tuning: Request) -> None:
    with Session(tuning, SLOT) as session:
        session.take()
        with torch.no_grad():
            for network in (session.network, session._trainer.network):
                network.painter.weight[0, 0] = float("nan")
        with pytest.raises(BadInput, match="has diverged"):
            session.take()
        with pytest.raises(BadInput, match="has diverged"):
            session.validate()


def test_a_sample_without_a_finite_loss_is_left_out(tuning: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    with Session(tuning, SLOT) as session:
        draw = session._samples.draw

        def spoiled(number: int) -> Sample:
            sample = draw(number)
            nowhere = {layer: float("nan") * features for layer, features in sample.arrangement.items()}
            return sample if number else replace(sample, arrangement=nowhere)

        monkeypatch.setattr(session._samples, "draw", spoiled)
        session.take()
        assert math.isfinite(session.recent)
        assert all(tensor.isfinite().all() for tensor in session.network.state_dict().values())


@pytest.mark.slow
def test_the_number_of_cores_does_not_decide_the_network(tuning: Request) -> None:
    states = []
    for threads in (1, 2):
        with Session(tuning, Slot("cpu", threads=threads)) as session:
            session.take()
            states.append(session.network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_start_that_was_changed_is_told(tuning: Request, start: File) -> None:
    with pytest.raises(BadInput, match="was changed meanwhile"):
        Session(replace(tuning, start=(start[0], "ab" * 32)), SLOT)


def test_a_broken_picture_among_them_is_told_before_the_training(
    tuning: Request, tmp_path: Path, samples: Path
) -> None:
    torn = tmp_path / "torn.jpg"
    torn.write_bytes((samples / "images/coffee.jpg").read_bytes()[:9000])
    with pytest.raises(BadInput, match=r"torn.jpg is truncated or damaged"):
        Session(replace(tuning, contents=[*tuning.contents, (torn, sha256_of(torn))]), SLOT)
    narrow = tmp_path / "narrow.png"
    Image.new("RGB", (300, 20)).save(narrow)
    with pytest.raises(BadInput, match=r"narrow.png would be 32x2 px, and a training needs 16 px"):
        Session(replace(tuning, contents=[*tuning.contents, (narrow, sha256_of(narrow))]), SLOT)
