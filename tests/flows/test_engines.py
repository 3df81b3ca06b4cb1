"""``engine: auto`` in real runs: what is decided, that it is tuned once, and that it can be overruled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from stylebatch.flows.reprocess import reprocess
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.again.reprocess import make_plan
from stylebatch.tasks.devices.slots import make_slots
from stylebatch.tasks.networks import bundled
from stylebatch.tasks.networks.models import read_trained
from stylebatch.tasks.runs.report import Outcomes
from stylebatch.tasks.training import engines

pytestmark = pytest.mark.usefixtures("prefect", "no_grids")


@pytest.fixture(autouse=True)
def small(small_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network that comes along is a small one, and it is tuned in two steps."""
    for module in (bundled, engines):
        monkeypatch.setattr(module, "BUNDLED", small_network)
    monkeypatch.setattr(engines, "TUNING_STEPS", 2)


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


def engines_of(outcomes: Outcomes) -> list[str]:
    return [outcome.record.settings.engine for outcome in outcomes if outcome.record]


@pytest.mark.slow
def test_a_network_is_tuned_once_where_it_pays_and_used_for_what_is_new(tmp_path: Path, samples: Path) -> None:
    manifest, out = write_manifest(tmp_path, samples, steps=500), tmp_path / "out"
    whole = (samples / "images/astronaut.jpg").read_bytes()
    torn = tmp_path / "contents/torn.jpg"
    torn.write_bytes(whole[: len(whole) // 2])
    outcomes = stylize(manifest, out)
    assert [one.status for one in outcomes] == ["completed"] * 3 + ["failed"], "what is cut off costs its row alone"
    assert engines_of(outcomes) == ["feedforward"] * 3
    assert "swirls.jpg: painted in one pass by a network tuned to it: 4 pictures, " in decision(out)
    (network,) = (out / ".store/networks").glob("*.safetensors")
    trained = read_trained(network)
    assert (trained.style, trained.contents, trained.samples) == ("swirls.jpg", 2, 8)
    before = network.stat().st_mtime_ns

    torn.unlink()
    assert [one.status for one in stylize(manifest, out)] == ["cached"] * 3
    shutil.copy(samples / "images/astronaut.jpg", tmp_path / "contents")
    outcomes = stylize(manifest, out)
    assert sorted(one.status for one in outcomes) == ["cached"] * 3 + ["completed"]
    assert network.stat().st_mtime_ns == before
    assert "by the network that was tuned to it before" in decision(out)
    assert [one.status for one in reprocess(out)] == ["cached"] * 4

    classic = stylize(manifest, out, {"engine": "optimize", "steps": 1})
    assert [one.record.steps for one in classic if one.record] == [1] * 4


def test_few_pictures_are_optimized_without_measuring(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "measure_rates", None)
    manifest, out = write_manifest(tmp_path, samples, steps=1), tmp_path / "out"
    assert engines_of(stylize(manifest, out)) == ["optimize"] * 3
    assert "3 pictures are quicker than tuning a network" in decision(out)
    assert [one.status for one in stylize(manifest, out)] == ["cached"] * 3

    (told,) = make_plan(out, False, "", {"steps": "500"}, make_slots("cpu")[0]).decisions
    assert told.endswith("swirls.jpg: optimized, since there is no network tuned to it"), "nothing is made to look"


@pytest.mark.slow
def test_tuning_that_does_not_pay_is_told_with_its_figures(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "JUDGING", 1e6)
    monkeypatch.setattr(engines, "TUNED_CROP", 16)  # so that it is not plain without measuring
    out = tmp_path / "out"
    assert engines_of(stylize(write_manifest(tmp_path, samples, steps=2), out)) == ["optimize"] * 3
    assert "optimized: 3 pictures, " in decision(out)
    assert not (out / ".store/networks").exists()


@pytest.mark.slow
@pytest.mark.slow
def test_effort_says_which_way_is_wanted(tmp_path: Path, samples: Path) -> None:
    manifest, out = write_manifest(tmp_path, samples, steps=1), tmp_path / "out"
    assert engines_of(stylize(manifest, out, {"effort": "draft"})) == ["feedforward"] * 3
    assert "painted in one pass, as effort=draft asks" in decision(out)
    assert engines_of(stylize(manifest, out, {"effort": "best"})) == ["optimize"] * 3
    assert "optimized, as effort=best asks" in decision(out)


def test_a_network_that_is_named_paints_and_what_none_is_tuned_to_is_optimized(
    tmp_path: Path, samples: Path, small_network: Path
) -> None:
    manifest, out = write_manifest(tmp_path, samples, steps=1), tmp_path / "out"
    assert engines_of(stylize(manifest, out, {"model": str(small_network)})) == ["feedforward"] * 3
    assert "painted in one pass by " in decision(out)
    assert engines_of(stylize(manifest, out, {"preserve_color": "match"})) == ["optimize"] * 3
    assert "a network is tuned to one style in its own colours" in decision(out)
