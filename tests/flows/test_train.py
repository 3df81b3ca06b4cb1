"""Training on the real network against a real server, and what its network is used for in a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import safetensors.torch
import torch
from PIL import Image
from prefect.client.orchestration import get_client

from stylebatch.flows.stylize import stylize
from stylebatch.flows.train import train
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.networks.models import read_model, read_trained

pytestmark = pytest.mark.usefixtures("prefect")
COMMAND = str(Path(sys.executable).parent / "stylebatch")
OBJECTIVE: dict[str, str | int | float] = {"size": 64, "precision": "float32"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, samples: Path, prefect_server: str) -> Path:
    """A network that a short training by the command made, for the style ``swirls``."""
    out = tmp_path_factory.mktemp("model") / "swirls.safetensors"
    train_by_command(samples, out, prefect_server, steps=6)
    return out


def arguments(samples: Path, out: Path, steps: int) -> list[str]:
    contents = [f"--contents={samples}/images/*.jpg", "--set=size=64", "--set=precision=float32"]
    return [COMMAND, "train", f"{samples}/styles/swirls.jpg", *contents, f"--out={out}", f"--steps={steps}", "--json"]


def train_by_command(samples: Path, out: Path, server: str, steps: int) -> dict[str, Any]:
    environment = os.environ | {"PREFECT_API_URL": server}
    done = subprocess.run(arguments(samples, out, steps), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def write_manifest(folder: Path, samples: Path, model: Path, **settings: object) -> Path:
    document = {
        "defaults": {**OBJECTIVE, "engine": "feedforward", "model": str(model), **settings},
        "contents": f"{samples}/images/*.jpg",
        "styles": f"{samples}/styles/swirls.jpg",
    }
    path = folder / "painted.yaml"
    path.write_text(json.dumps(document))  # which is YAML too
    return path


def test_a_training_leaves_a_network_that_says_what_it_is(model: Path, samples: Path) -> None:
    trained = read_trained(model)
    assert trained.style == "swirls.jpg"
    assert trained.settings.size == 64
    assert trained.contents == 3
    assert trained.held_out == 1
    assert trained.total_loss == pytest.approx(trained.content_loss + trained.style_loss + trained.tv_loss)
    assert 0 <= trained.worth <= 40
    folder = model.parent
    assert sorted(file.name for file in folder.iterdir()) == [
        "swirls.losses.svg", "swirls.preview.png", "swirls.safetensors",
    ]  # fmt: skip
    preview = Image.open(folder / "swirls.preview.png")
    assert max(preview.width // 2, preview.height) == 64
    assert "held out" in (folder / "swirls.losses.svg").read_text()


def test_a_run_paints_in_one_pass_what_goes_together(model: Path, tmp_path: Path, samples: Path) -> None:
    out = tmp_path / "out"
    outcomes = stylize(write_manifest(tmp_path, samples, model), out)
    assert [outcome.status for outcome in outcomes] == ["completed"] * 4
    report = pd.read_parquet(out / "report.parquet")
    assert list(report["steps"]) == [0] * 4
    assert report["optimizer_loss"].isna().all()
    assert report["total_loss"].is_unique
    for row in report.itertuples():
        assert Image.open(out / str(row.output)).size == (row.width, row.height)
    with get_client(sync_client=True) as client:
        names = {run.name for run in client.read_task_runs() if run.name.endswith("in one pass")}
    assert any(outcome.id in name for outcome in outcomes for name in names)
    again = stylize(write_manifest(tmp_path, samples, model), out)
    assert [outcome.status for outcome in again] == ["cached"] * 4


def test_painted_together_or_alone_is_the_same_picture(model: Path, tmp_path: Path, samples: Path) -> None:
    manifest = write_manifest(tmp_path, samples, model)
    together = {one.id: one.record for one in stylize(manifest, tmp_path / "together")}
    single = tmp_path / "single.csv"
    style, settings = f"{samples}/styles/swirls.jpg", f"64,float32,feedforward,{model}"
    single.write_text(f"content,style,size,precision,engine,model\n{samples}/images/chelsea.jpg,{style},{settings}\n")
    (alone,) = stylize(single, tmp_path / "alone")
    assert alone.record
    other = together[alone.id]
    assert other
    assert alone.record.key == other.key
    assert alone.record.total_loss == pytest.approx(other.total_loss, rel=1e-3)


def test_the_losses_are_those_of_the_written_picture(model: Path, tmp_path: Path, samples: Path) -> None:
    """An optimizer that begins at the written picture sees, at its first step, what the report says of it."""
    out = tmp_path / "out"
    painted = stylize(write_manifest(tmp_path, samples, model), out)[0]
    assert painted.record
    assert painted.output
    row = tmp_path / "row.csv"
    row.write_text(
        f"content,style,size,precision,init,steps\n"
        f"{samples}/images/astronaut.jpg,{samples}/styles/swirls.jpg,64,float32,{out / painted.output},1\n"
    )
    (optimized,) = stylize(row, tmp_path / "optimized")
    assert optimized.record
    assert optimized.record.optimizer_loss == pytest.approx(painted.record.total_loss, rel=1e-4)


def test_refining_lowers_the_loss_and_is_another_key(model: Path, tmp_path: Path, samples: Path) -> None:
    painted = stylize(write_manifest(tmp_path, samples, model), tmp_path / "painted")
    refined = stylize(write_manifest(tmp_path, samples, model, refine=4), tmp_path / "refined")
    for before, after in zip(painted, refined, strict=True):
        assert before.record
        assert after.record
        assert after.record.steps == 4
        assert after.record.total_loss < before.record.total_loss
        assert after.record.key != before.record.key


def test_another_network_is_another_key_and_optimizing_does_not_ask_for_one(
    model: Path, tmp_path: Path, samples: Path
) -> None:
    other = tmp_path / "other.safetensors"
    train(samples / "styles/swirls.jpg", [f"{samples}/images/*.jpg"], other, {**OBJECTIVE, "seed": 1}, steps=2)
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(model.read_bytes())
    keys = []
    for network in (model, copy, other):
        outcomes = stylize(write_manifest(tmp_path, samples, network), tmp_path / network.stem)
        keys.append([outcome.record.key for outcome in outcomes if outcome.record])
    assert keys[0] == keys[1], "a network counts by its bytes, wherever it lies"
    assert not set(keys[0]) & set(keys[2])
    optimized = [
        stylize(write_manifest(tmp_path, samples, network), tmp_path / "optimized", {"engine": "optimize", "steps": 1})
        for network in (model, tmp_path / "gone.safetensors")
    ]
    assert [one.status for one in optimized[0]] == ["completed"] * 4
    assert [one.status for one in optimized[1]] == ["cached"] * 4


def test_what_a_network_cannot_do_costs_its_rows_alone(model: Path, tmp_path: Path, samples: Path) -> None:
    chelsea, swirls, glass = (
        samples / name for name in ("images/chelsea.jpg", "styles/swirls.jpg", "styles/glass.jpg")
    )
    (tmp_path / "torn.safetensors").write_bytes(model.read_bytes()[:5000])
    good = {"content": str(chelsea), "style": str(swirls), "engine": "feedforward", "model": str(model), **OBJECTIVE}
    rows = [
        good,
        {**good, "style": str(glass)},
        {**good, "model": None},
        {**good, "model": "gone.safetensors"},
        {**good, "model": "torn.safetensors"},
        {**good, "style": [str(swirls), str(glass)]},
        {**good, "masks": [str(chelsea)]},
        {**good, "preserve_color": "match"},
        {**good, "init": "noise"},
        {**good, "preserve_color": "luminance"},
    ]
    manifest = tmp_path / "rows.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    outcomes = stylize(manifest, tmp_path / "out")
    assert [one.status for one in outcomes] == ["completed", *["failed"] * 8, "completed"]
    wanted = [
        "model: swirls.safetensors was trained for another style, swirls.jpg",
        "model: engine=feedforward needs the file of a trained network",
        "model: there is no file 'gone.safetensors'",
        "model: torn.safetensors is damaged",
        "style: a network is trained for one style, not for 2",
        "masks: a trained network paints everywhere",
        "preserve_color: match",
        "init: a trained network starts from the content",
    ]
    for outcome, text in zip(outcomes[1:9], wanted, strict=True):
        assert text in (outcome.error or "")
        assert outcome.error_type == "BadInput"


def test_the_network_that_comes_along_paints_the_demo(tmp_path: Path, samples: Path) -> None:
    outcomes = stylize(samples / "demo-feedforward.yaml", tmp_path / "out")
    assert [outcome.status for outcome in outcomes] == ["completed"] * 4
    trained = read_trained(samples / "models/swirls.safetensors")
    assert trained.worth > 1
    for outcome in outcomes:
        assert outcome.record
        assert outcome.record.total_loss < 10e6, "a fifth of what photographs have"


def test_a_training_that_is_killed_goes_on_and_ends_with_the_same_network(
    tmp_path: Path, samples: Path, prefect_server: str
) -> None:
    steps = 20
    whole, killed = tmp_path / "whole.safetensors", tmp_path / "killed.safetensors"
    train(samples / "styles/swirls.jpg", [f"{samples}/images/*.jpg"], whole, OBJECTIVE, steps)
    environment = os.environ | {"PREFECT_API_URL": prefect_server}
    checkpoint = tmp_path / "killed.safetensors.checkpoint"
    process = subprocess.Popen(
        arguments(samples, killed, steps), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 100
    while not checkpoint.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not killed.exists()
    said = train_by_command(samples, killed, prefect_server, steps)
    assert said["steps"] == read_trained(whole).steps
    assert not checkpoint.exists()
    first, second = (safetensors.torch.load_file(file) for file in (whole, killed))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"style": "gone.jpg"}, "gone.jpg"),
        ({"contents": ["gone/*.jpg"]}, "nothing matches"),
        ({"contents": ["images/chelsea.jpg"]}, "two different content pictures"),
        ({"overrides": {"size": 64, "preserve_color": "match"}}, "preserve_color"),
        ({"start": Path("gone.safetensors")}, r"there is no file gone.safetensors"),
        ({"devices": "cuda:7"}, "cuda:7"),
    ],
)
def test_a_training_that_cannot_be_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(samples)
    asked = {"style": Path("styles/swirls.jpg"), "contents": ["images/*.jpg"], "out": tmp_path / "n.safetensors"}
    with pytest.raises(BadRequest, match=message):
        train(**{**asked, "overrides": {"size": 64}, **change})
    assert not list(tmp_path.iterdir())


def test_another_styles_network_is_a_start(model: Path, tmp_path: Path, samples: Path) -> None:
    out = tmp_path / "glass.safetensors"
    trained = train(samples / "styles/glass.jpg", [f"{samples}/images/*.jpg"], out, OBJECTIVE, steps=1, start=model)
    assert trained.style == "glass.jpg"
    before, after = read_model(model).state_dict(), read_model(out).state_dict()
    apart = max((before[name] - after[name]).abs().max().item() for name in before)
    assert 0 < apart < 0.05
