"""``engine: auto`` in real runs: what is decided, that it is trained once, and that it can be overruled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from stylebatch.flows.reprocess import reprocess
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.again.reprocess import make_plan
from stylebatch.tasks.devices.slots import make_slots
from stylebatch.tasks.networks.models import read_trained
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.training import engines
from stylebatch.tasks.training.engines import Estimate, full_steps
from stylebatch.tasks.training.training import STEPS, Rates

pytestmark = pytest.mark.usefixtures("prefect")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that is shorter than optimizing even these few small pictures."""
    monkeypatch.setattr(engines, "STEPS", 4)


def write_manifest(folder: Path, samples: Path, **settings: object) -> Path:
    contents = folder / "contents"
    contents.mkdir(exist_ok=True)
    for name in ("chelsea", "coffee", "rocket"):
        shutil.copy(samples / f"images/{name}.jpg", contents)
    document = {
        "defaults": {"size": 64, "precision": "float32", "engine": "auto", **settings},
        "contents": "contents/*.jpg",
        "styles": f"{samples}/styles/swirls.jpg",
    }
    path = folder / "auto.yaml"
    path.write_text(json.dumps(document))
    return path


def decision(out: Path) -> str:
    (told,) = json.loads((out / "run.json").read_text())["engines"]
    return str(told)


@pytest.mark.usefixtures("short")
def test_a_network_is_trained_once_where_it_pays_and_used_for_what_is_new(tmp_path: Path, samples: Path) -> None:
    manifest, out = write_manifest(tmp_path, samples, steps=100, refine=0), tmp_path / "out"
    outcomes = stylize(manifest, out)
    assert [one.status for one in outcomes] == ["completed"] * 3
    assert [one.record.settings.engine for one in outcomes if one.record] == ["feedforward"] * 3
    assert "swirls.jpg: painted by a network: 3 pictures, " in decision(out)
    (network,) = (out / ".store/networks").glob("*.safetensors")
    assert read_trained(network).contents == 2
    before = network.stat().st_mtime_ns

    assert [one.status for one in stylize(manifest, out)] == ["cached"] * 3
    shutil.copy(samples / "images/astronaut.jpg", tmp_path / "contents")
    outcomes = stylize(manifest, out)
    assert sorted(one.status for one in outcomes) == ["cached"] * 3 + ["completed"]
    assert network.stat().st_mtime_ns == before
    assert "the network that was trained before" in decision(out)
    assert [one.status for one in reprocess(out)] == ["cached"] * 4

    classic = stylize(manifest, out, {"engine": "optimize", "steps": 1})
    assert [one.record.steps for one in classic if one.record] == [1] * 4


@pytest.mark.usefixtures("short")
def test_what_the_network_does_not_reach_is_left_to_the_optimizer(tmp_path: Path, samples: Path) -> None:
    (first, *_) = stylize(write_manifest(tmp_path, samples, steps=60, refine=0), tmp_path / "out")
    assert first.record
    outcomes = stylize(write_manifest(tmp_path, samples, steps=5), tmp_path / "out")
    (network,) = (tmp_path / "out/.store/networks").glob("*.safetensors")
    left = 5 - int(read_trained(network).worth)
    assert [one.record.steps for one in outcomes if one.record] == [max(0, left)] * 3


def test_few_pictures_are_optimized_without_measuring(tmp_path: Path, samples: Path) -> None:
    outcomes = stylize(write_manifest(tmp_path, samples, steps=2), tmp_path / "out")
    assert [one.record.settings.engine for one in outcomes if one.record] == ["optimize"] * 3
    assert "3 pictures are quicker than the training of a network" in decision(tmp_path / "out")
    assert [one.status for one in stylize(write_manifest(tmp_path, samples, steps=2), tmp_path / "out")] == [
        "cached"
    ] * 3


def test_a_training_that_does_not_pay_is_told_with_its_figures(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "STEPS", 8)  # fewer than all steps together, and yet more than they are worth
    outcomes = stylize(write_manifest(tmp_path, samples, steps=3), tmp_path / "out")
    assert [one.record.settings.engine for one in outcomes if one.record] == ["optimize"] * 3
    assert "optimized: 3 pictures, " in decision(tmp_path / "out")
    assert not (tmp_path / "out/.store/networks").exists()


def test_what_a_network_cannot_do_is_optimized(tmp_path: Path, samples: Path) -> None:
    manifest = write_manifest(tmp_path, samples, steps=1, init="noise")
    outcomes = stylize(manifest, tmp_path / "out")
    assert [one.record.settings.engine for one in outcomes if one.record] == ["optimize"] * 3
    assert "optimized: init: a trained network starts from the content" in decision(tmp_path / "out")


@pytest.mark.usefixtures("short")
def test_a_picture_that_is_cut_off_costs_its_row_alone(tmp_path: Path, samples: Path) -> None:
    manifest = write_manifest(tmp_path, samples, steps=100, refine=0)
    whole = (samples / "images/astronaut.jpg").read_bytes()
    (tmp_path / "contents/torn.jpg").write_bytes(whole[: len(whole) // 2])
    outcomes = stylize(manifest, tmp_path / "out")
    assert [one.status for one in outcomes] == ["completed"] * 3 + ["failed"]
    assert "painted by a network" in decision(tmp_path / "out")


@pytest.mark.usefixtures("short")
def test_nothing_is_trained_or_measured_when_a_run_is_only_looked_at(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, out = write_manifest(tmp_path, samples, steps=100, refine=0), tmp_path / "out"
    stylize(manifest, out, {"engine": "optimize", "steps": 1})
    monkeypatch.setattr(engines, "measure_rates", None)
    plan = make_plan(out, False, "", {"engine": "auto"}, make_slots("cpu")[0])
    (told,) = plan.decisions
    assert told.endswith("swirls.jpg: optimized, since there is no network for it")


def test_steps_count_by_their_resolutions() -> None:
    assert full_steps(Settings(size=256, steps=100)) == 100
    assert full_steps(Settings(size=1024, steps=150)) == pytest.approx(75 / 4 + 75)


def test_the_estimate_weighs_training_against_all_pictures() -> None:
    rates = Rates(optimizer_step=0.2, training_step=0.4, painting=0.1)
    few, many = (Estimate(pictures, pictures, 100, 60, rates) for pictures in (50, 1000))
    assert many.optimizing == pytest.approx(20_000)
    assert many.training == pytest.approx(0.4 * STEPS)
    assert many.painting == pytest.approx(1000 * (0.1 + 60 * 0.2))
    assert many.pays
    assert not few.pays
    assert not Estimate(1000, 1000, 100, 60, rates, slots=16).pays, "only the training is not shared out"
    assert not Estimate(50, 1000, 100, 60, rates).pays, "a network would make the finished ones again"
    assert str(many) == "1000 pictures, 333 min of optimizing, or 27 min of training and 202 min of stylizing"
