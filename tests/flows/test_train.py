"""Trainings on the real network against a real server: asked for by the command and by a call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylebatch.flows.train import train
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.networks.models import read_model, read_trained
from tests.command import call

pytestmark = pytest.mark.usefixtures("prefect")
SMALL: dict[str, str | int | float] = {"size": 64, "precision": "float32"}


@pytest.mark.slow
@pytest.mark.usefixtures("restored_process")
def test_the_command_tunes_a_network_and_says_what_it_is(tmp_path: Path, samples: Path, small_network: Path) -> None:
    out = tmp_path / "swirls.safetensors"
    arguments = [f"{samples}/styles/swirls.jpg", f"--contents={samples}/images/*.jpg", f"--out={out}", "--json"]
    options = [f"--start={small_network}", "--steps=2", "--set=size=64", "--set=precision=float32"]
    done = call("train", *arguments, *options)
    assert done.exit_code == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["out"] == str(out)
    assert said["samples"] == 8
    trained = read_trained(out)
    assert trained.style == "swirls.jpg"
    assert trained.settings.size == 64
    assert (trained.contents, trained.held_out) == (3, 1)
    names = ["swirls.preview.png", "swirls.safetensors", "swirls.training.svg"]
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    assert Image.open(tmp_path / "swirls.preview.png").size == (128, 128)
    drawn = (tmp_path / "swirls.training.svg").read_text()
    assert "structure" in drawn
    assert "swirls.jpg: 8 samples in " in drawn
    before, after = read_model(small_network).state_dict(), read_model(out).state_dict()
    assert 0 < max((before[name] - after[name]).abs().max().item() for name in before) < 0.2


def test_a_network_for_any_style_is_learned_from_many(tmp_path: Path, samples: Path, small_network: Path) -> None:
    out = tmp_path / "any.safetensors"
    contents, styles = [f"{samples}/images/*.jpg"], [f"{samples}/styles/{name}.jpg" for name in ("swirls", "glass")]
    trained = train(None, contents, out, SMALL, steps=1, start=small_network, styles=styles)
    assert trained == read_trained(out)
    assert (trained.style, trained.style_sha256, trained.styles) == ("", "", 1)
    assert "any style: 4 samples in " in (tmp_path / "any.training.svg").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"style": "gone.jpg"}, "gone.jpg"),
        ({"contents": ["gone/*.jpg"]}, "nothing matches"),
        ({"contents": ["images/chelsea.jpg"]}, "two different content pictures"),
        ({"overrides": {"preserve_color": "match"}}, "--set preserve_color: a training does not go by it"),
        ({"overrides": {"size": "many"}}, "size: "),
        ({"start": Path("gone.safetensors")}, r"there is no file gone.safetensors"),
        ({"start": Path("images/chelsea.jpg")}, r"chelsea.jpg is damaged, or no trained network"),
        ({"devices": "cuda:7"}, "cuda:7"),
        ({"styles": ["styles/*.jpg"]}, "either one style"),
        ({"style": None}, "either one style"),
        ({"style": None, "styles": ["styles/swirls.jpg"]}, "give it as STYLE"),
        ({"style": None, "styles": ["styles/swirls.jpg"] * 2}, "two different ones"),
    ],
)
def test_a_training_that_cannot_be_is_refused(
    change: dict[str, Any],
    message: str,
    tmp_path: Path,
    samples: Path,
    small_network: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(samples)
    asked = {
        "style": Path("styles/swirls.jpg"),
        "contents": ["images/*.jpg"],
        "out": tmp_path / "n.safetensors",
        "overrides": SMALL,
        "start": small_network,
        "steps": 1,
    }
    with pytest.raises(BadRequest, match=message):
        train(**{**asked, **change})
    assert not list(tmp_path.iterdir())


def test_a_broken_picture_is_told_by_its_name(tmp_path: Path, samples: Path, small_network: Path) -> None:
    torn = tmp_path / "torn.jpg"
    torn.write_bytes((samples / "images/coffee.jpg").read_bytes()[:9000])
    contents = [f"{samples}/images/*.jpg", str(torn)]
    with pytest.raises(BadRequest, match=r"torn.jpg is truncated or damaged"):
        train(samples / "styles/swirls.jpg", contents, tmp_path / "n.safetensors", SMALL, 1, small_network)
    assert list(tmp_path.iterdir()) == [torn]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--contents=images/*.jpg", "--out=n.safetensors"], "give either a STYLE"),
        (["styles/glass.jpg", "--styles=styles/*.jpg", "--contents=images/*.jpg", "--out=n.safetensors"], "either a"),
        (["styles/glass.jpg", "--contents=images/*.jpg", "--out=n.bin"], "ends in .safetensors"),
        (["gone.jpg", "--contents=images/*.jpg", "--out=n.safetensors"], "there is no style picture gone.jpg"),
        (["--styles=gone/*.jpg", "--contents=images/*.jpg", "--out=n.safetensors"], "--styles: nothing matches"),
    ],
)
def test_the_command_tells_what_cannot_be_before_anything_starts(
    arguments: list[str], message: str, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(samples)
    found = call("train", *arguments)
    assert found.exit_code == 2, found.output
    assert message in " ".join(found.output.split())
