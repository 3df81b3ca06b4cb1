"""Runs that write JPEG and WebP at the photographs' own sizes, and ``images/``, which holds the latest request only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from stylebatch.flows.gallery import gallery
from stylebatch.flows.reprocess import reprocess
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.storage.places import as_parameter, to_place
from tests.object_store import Bucket

pytestmark = pytest.mark.usefixtures("prefect", "no_grids")
SIZES = {"chelsea": (75, 53), "coffee": (50, 66)}


@pytest.fixture
def painted(tmp_path: Path, samples: Path, small_network: Path) -> Path:
    """A manifest of two photographs at their own sizes, as JPEG."""
    for name, size in SIZES.items():
        Image.open(samples / f"images/{name}.jpg").resize(size).save(tmp_path / f"{name}.png")
    shutil.copy(samples / "styles/swirls.jpg", tmp_path)
    shutil.copy(small_network, tmp_path / "small.safetensors")
    settings = "original,jpeg,feedforward,small.safetensors"
    rows = [f"{name},{name}.png,swirls.jpg,{settings}" for name in SIZES]
    manifest = tmp_path / "painted.csv"
    manifest.write_text("\n".join(["id,content,style,size,format,engine,model", *rows]))
    return manifest


@pytest.mark.slow
def images(out: Path) -> dict[str, str | None]:
    """The names of the pictures, and the formats that they really have."""
    return {file.name: Image.open(file).format for file in sorted((out / "images").iterdir())}


@pytest.mark.slow
def test_each_request_has_its_own_pictures_and_the_last_ones_come_back(painted: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    as_jpeg = {"chelsea.jpg": "JPEG", "coffee.jpg": "JPEG"}
    assert [one.status for one in stylize(painted, out)] == ["completed"] * 2
    assert images(out) == as_jpeg
    report = pd.read_parquet(out / "report.parquet").set_index("id")
    for name, size in SIZES.items():
        assert Image.open(out / report.output[name]).size == size == (report.width[name], report.height[name])
    assert [one.status for one in stylize(painted, out, {"format": "webp"})] == ["completed"] * 2
    assert images(out) == {"chelsea.webp": "WEBP", "coffee.webp": "WEBP"}
    assert [one.status for one in stylize(painted, out)] == ["cached"] * 2
    assert images(out) == as_jpeg
    assert not (out / "images-before").exists(), "the store has them all"
    gallery([out])
    copies = {file.suffix: Image.open(file).format for file in (out / "gallery/pictures").iterdir()}
    assert copies == {".jpg": "JPEG", ".webp": "WEBP"}, "a result as it is, and small ones"


@pytest.mark.slow
def test_what_is_reprocessed_takes_the_place_of_what_was(painted: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stylize(painted, out)
    reprocess(out, where="id == 'coffee'", overrides={"format": "png"})
    assert images(out) == {"chelsea.jpg": "JPEG", "coffee.png": "PNG"}
    assert list(pd.read_parquet(out / "report.parquet")["output"]) == ["images/chelsea.jpg", "images/coffee.png"]


@pytest.mark.slow
def test_a_stopped_run_leaves_none_of_an_earlier_one_among_its_pictures(painted: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stylize(painted, out)
    (tmp_path / "chelsea.png").unlink()
    outcomes = stylize(painted, out, {"quality": "50"}, max_failures=1)
    assert [one.status for one in outcomes] == ["failed"]
    assert images(out) == {}


@pytest.mark.slow
def test_in_an_object_store_it_is_the_same(painted: Path, bucket: Bucket) -> None:
    for file in painted.parent.iterdir():
        if file.is_file():
            bucket.put(f"in/{file.name}", file.read_bytes())
    manifest, out = (as_parameter(to_place(bucket.url(name))) for name in ("in/painted.csv", "out"))
    assert [one.status for one in stylize(manifest, out)] == ["completed"] * 2
    assert [one.status for one in stylize(manifest, out)] == ["cached"] * 2
    assert bucket.names("out/images") == ["out/images/chelsea.jpg", "out/images/coffee.jpg"]
    assert [one.status for one in stylize(manifest, out, {"size": "64"})] == ["completed"] * 2
    assert bucket.names("out/images") == ["out/images/chelsea.jpg", "out/images/coffee.jpg"]
    stylize(manifest, out, {"format": "webp"})
    assert bucket.names("out/images") == ["out/images/chelsea.webp", "out/images/coffee.webp"]
    assert bucket.names("out/images-before") == []
