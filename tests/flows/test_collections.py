"""A collection of paintings from end to end: a network is trained for it by the command, and a run paints with one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stylebatch.flows.gallery import gallery
from stylebatch.flows.stylize import stylize
from stylebatch.flows.train import train
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.gallery.fitting import fitted
from stylebatch.tasks.networks.models import read_trained
from stylebatch.tasks.plan.jobs import make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.collections import digest
from stylebatch.tasks.request.manifest import read_manifest
from stylebatch.tasks.storage.files import sha256_of
from tests.command import call

pytestmark = pytest.mark.usefixtures("prefect")
SMALL: dict[str, str | int | float] = {"size": 64, "precision": "float32"}


def write_manifest(folder: Path, samples: Path, model: Path, style: Any, **settings: object) -> Path:
    document = {
        "defaults": {**SMALL, "engine": "feedforward", "model": str(model), **settings},
        "contents": [f"{samples}/images/{name}.jpg" for name in ("chelsea", "coffee")],
        "styles": [style],
    }
    path = folder / "painters.yaml"
    path.write_text(json.dumps(document))  # which is YAML too
    return path


@pytest.mark.slow  # the parts are tested by themselves
@pytest.mark.usefixtures("restored_process")
def test_the_command_trains_a_network_for_a_collection(tmp_path: Path, samples: Path, paintings: Path) -> None:
    out = tmp_path / "painters.safetensors"
    arguments = ["--method=one-way", f"--styles={paintings}/*.png", f"--contents={samples}/images/*.jpg"]
    options = [f"--out={out}", "--steps=1", "--set=size=64", "--set=precision=float32", "--json"]
    done = call("train", *arguments, *options)
    assert done.exit_code == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["samples"] == 4
    assert read_trained(out).is_of_collection
    names = ["painters.preview.png", "painters.safetensors", "painters.training.svg"]
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    assert "distance to the paintings" in (tmp_path / "painters.training.svg").read_text()


def test_a_run_paints_as_the_collection_and_shows_it_as_a_mosaic(
    tmp_path: Path, samples: Path, paintings: Path, collection_network: Path
) -> None:
    out = tmp_path / "out"
    manifest = write_manifest(tmp_path, samples, collection_network, {"collection": f"{paintings}/*.png"})
    outcomes = stylize(manifest, out)
    assert [outcome.status for outcome in outcomes] == ["completed"] * 2
    assert outcomes[0].id.startswith(f"chelsea-{paintings.name}-")
    report = pd.read_parquet(out / "report.parquet")
    assert set(report["style"]) == {f"collection:{paintings}/*.png"}
    assert set(report["style_sha256"]) == {digest(map(sha256_of, paintings.glob("*.png")))}
    assert report["structure"].between(0, 1).all()
    assert report["style_distance"].gt(0).all()
    for row, name in zip(report.itertuples(), ("chelsea", "coffee"), strict=True):
        content = Image.open(samples / f"images/{name}.jpg").resize(Image.open(out / str(row.output)).size)
        apart = np.abs(np.array(Image.open(out / str(row.output))).astype(float) - np.array(content)).mean()
        assert apart > 1, "it is painted"
    folder = tmp_path / "gallery"
    gallery([out], folder)
    (mosaic,) = folder.glob(f"pictures/{report['style_sha256'][0][:32]}-320.webp")
    assert Image.open(mosaic).size == (320, 320)
    assert list((out / "grids").glob("*.png"))
    assert [outcome.status for outcome in stylize(manifest, out)] == ["cached"] * 2


def test_the_collections_pictures_decide_the_key_and_not_their_names(
    tmp_path: Path, samples: Path, paintings: Path, collection_network: Path
) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    for number, path in enumerate(sorted(paintings.glob("*.png"))):
        (moved / f"{9 - number}.png").write_bytes(path.read_bytes())
    keys = []
    for style in (f"collection:{paintings}/*.png", "collection:moved", "collection:moved/[2-8].png"):
        manifest = read_manifest(write_manifest(tmp_path, samples, collection_network, style))
        pairs, _ = check_rows(manifest, {})
        jobs, _ = make_jobs(manifest, pairs, Slot("cpu"))
        keys.append([job.key for job in jobs])
    assert len(keys[0]) == 2
    assert keys[0] == keys[1]
    assert not set(keys[0]) & set(keys[2])


def test_every_way_to_paint_takes_a_collection(
    tmp_path: Path, samples: Path, paintings: Path, small_network: Path
) -> None:
    row = {"content": f"{samples}/images/chelsea.jpg", "style": f"collection:{paintings}/*.png", **SMALL}
    rows = [{**row, "steps": 1}, {**row, "engine": "feedforward", "model": str(small_network)}]
    manifest = tmp_path / "rows.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    assert [outcome.status for outcome in stylize(manifest, tmp_path / "out")] == ["completed"] * 2


@pytest.mark.usefixtures("restored_process")
def test_a_run_without_a_manifest_paints_as_a_collection(
    tmp_path: Path, samples: Path, paintings: Path, collection_network: Path
) -> None:
    pictures = ["--contents", f"{samples}/images/chelsea.jpg", "--styles", f"collection:{paintings}/*.png"]
    settings = ["--set=size=64", "--set=engine=feedforward", f"--set=model={collection_network}", "--set=judge=0"]
    done = call("run", *pictures, *settings, f"--out={tmp_path / 'out'}", "--no-grids", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["completed"] == 1


def test_what_does_not_go_together_costs_its_rows_alone(
    tmp_path: Path, samples: Path, paintings: Path, collection_network: Path
) -> None:
    (tmp_path / "torn.safetensors").write_bytes(collection_network.read_bytes()[:3000])
    (tmp_path / "others").mkdir()
    for name in ("swirls", "glass"):
        (tmp_path / f"others/{name}.jpg").write_bytes((samples / f"styles/{name}.jpg").read_bytes())
    (tmp_path / "broken").mkdir()
    for path in paintings.glob("*.png"):
        (tmp_path / "broken" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken/torn.png").write_bytes(b"no picture")
    style = f"collection:{paintings}/*.png"
    good = {"content": f"{samples}/images/chelsea.jpg", "style": style, "engine": "feedforward", **SMALL, "judge": 0}
    good["model"] = str(collection_network)
    wanted = {
        "": good,
        "model: painters.safetensors paints as a collection of 8 paintings does": {
            **good,
            "style": f"{samples}/styles/swirls.jpg",
        },
        "the row's style has to be a collection with some of these": {**good, "style": "collection:others/*.jpg"},
        "model: torn.safetensors is damaged": {**good, "model": "torn.safetensors"},
        "style: collection: nothing matches gone/*.jpg": {**good, "style": "collection:gone/*.jpg"},
        "style: torn.png": {**good, "style": "collection:broken"},
        "is shown no style that could be recoloured": {**good, "preserve_color": "match"},
        "is not blended with others": {**good, "style": f"{style} | {samples}/styles/swirls.jpg"},
    }
    manifest = tmp_path / "rows.jsonl"
    manifest.write_text("\n".join(map(json.dumps, wanted.values())))
    outcomes = stylize(manifest, tmp_path / "out")
    assert [one.status for one in outcomes] == ["completed", *["failed"] * 7]
    for outcome, text in zip(outcomes, wanted, strict=True):
        assert text in (outcome.error or ""), text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"styles": ["gone/*.png"]}, "--styles: nothing matches gone"),
        ({"styles": ["swirls-1.png"]}, "8 different paintings at least, and here is 1; tune the network to one"),
        ({"styles": None, "style": Path("swirls-1.png")}, "one-way learns from a collection"),
        ({"start": Path("swirls-1.png")}, "swirls-1.png is damaged, or no trained network"),
        ({"overrides": {"tv_weight": 1}}, "--set tv_weight: a training does not go by it"),
    ],
)
def test_a_collection_that_cannot_be_learned_is_refused(
    change: dict[str, Any],
    message: str,
    tmp_path: Path,
    samples: Path,
    paintings: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(paintings)
    asked = {
        "style": None,
        "styles": ["*.png"],
        "contents": [f"{samples}/images/*.jpg"],
        "out": tmp_path / "n.safetensors",
        "overrides": SMALL,
        "steps": 1,
        "method": "one-way",
    }
    with pytest.raises(BadRequest, match=message):
        train(**{**asked, **change})
    assert not list(tmp_path.iterdir())


def test_no_network_for_styles_starts_from_one_of_a_collection(
    tmp_path: Path, samples: Path, collection_network: Path
) -> None:
    contents = [f"{samples}/images/*.jpg"]
    with pytest.raises(BadRequest, match=r"--start painters.safetensors: it paints as a collection does"):
        train(samples / "styles/swirls.jpg", contents, tmp_path / "n.safetensors", SMALL, 1, collection_network)


@pytest.mark.parametrize(("count", "squares"), [(5, 4), (16, 16)])
def test_a_mosaic_shows_as_many_as_fill_a_square(count: int, squares: int, tmp_path: Path) -> None:
    places: Sequence[Path] = [tmp_path / f"{number}.png" for number in range(count)]
    for number, place in enumerate(places):
        Image.new("RGB", (20, 30), (10 * number, 0, 0)).save(place)
    shown = fitted([(place, 1.0) for place in places], 120)
    assert shown
    assert shown.size == (120, 120)
    assert len(shown.getcolors() or []) == squares
