"""A tree of photographs becomes the same tree of drawn pictures: run, again, reprocessed, looked at, here and away."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from stylebatch.flows.gallery import gallery
from stylebatch.flows.reprocess import reprocess
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.runs.report import count
from stylebatch.tasks.storage.files import exists, read_bytes, remove, write_atomically
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place, as_parameter, to_place

TEXT = """\
name: "{folder}/{stem}-{n}"
extra: {split: train}
contents: tree/*/*.png
styles: styles/*.png
draw: {styles: 2, seed: 0}
defaults: {size: 64, engine: feedforward, model: """
TREE = ["tree/beach/1.png", "tree/beach/2.png", "tree/forest/1.png"]
IDS = ["beach/1-1", "beach/1-2", "beach/2-1", "beach/2-2", "forest/1-1", "forest/1-2"]


def picture(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.effect_mandelbrot((80, 64), (-2 + number / 4, -1, 1, 1), 30).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(params=["here", pytest.param("store", marks=pytest.mark.slow)])
def folder(request: pytest.FixtureRequest, tmp_path: Path, small_network: Path) -> Place:
    """The folder of a data set and its manifest, on this machine or in a bucket."""
    root: Place = (
        tmp_path / "set" if request.param == "here" else to_place(request.getfixturevalue("bucket").url("set"))
    )
    for number, name in enumerate([*TREE, "styles/a.png", "styles/b.png", "styles/c.png"]):
        write_atomically(root / name, picture(number))
    write_atomically(root / "my.yaml", f"{TEXT}{small_network}}}\n".encode())
    return root


def report_of(run: Place) -> pa.Table:
    return read_parquet(read_bytes(run / "report.parquet"))


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_images_mirror_the_tree_through_all_that_a_run_goes_through(folder: Place) -> None:
    manifest, out = as_parameter(folder / "my.yaml"), as_parameter(folder / "out")
    assert count(stylize(manifest, out)) == {"completed": 6, "cached": 0, "failed": 0}
    report = report_of(folder / "out")
    assert report["id"].to_pylist() == IDS
    assert report["output"].to_pylist() == [f"images/{name}.png" for name in IDS]
    assert report["label"].to_pylist() == [name.partition("/")[0] for name in IDS]
    assert report["x_split"].to_pylist() == ["train"] * 6
    pictures = {name: read_bytes(folder / f"out/images/{name}.png") for name in IDS}
    assert exists(folder / "out/grids/grid-001.png")

    remove(folder / "out/images/beach/2-1.png")
    write_atomically(folder / "tree/beach/0.png", picture(7))  # the others keep their styles, and are not done again
    assert count(stylize(manifest, out)) == {"completed": 2, "cached": 6, "failed": 0}
    report = report_of(folder / "out")
    assert report["id"].to_pylist() == ["beach/0-1", "beach/0-2", *IDS]
    assert pictures == {name: read_bytes(folder / f"out/images/{name}.png") for name in IDS}

    again = reprocess(out, where="label == 'forest' and x_split == 'train'", overrides={"strength": "0.5"})
    assert count(again) == {"completed": 2, "cached": 6, "failed": 0}
    assert report_of(folder / "out")["x_split"].to_pylist() == ["train"] * 8
    changed = {name for name in IDS if read_bytes(folder / f"out/images/{name}.png") != pictures[name]}
    assert changed == {"forest/1-1", "forest/1-2"}
    page = gallery([out])
    assert '"beach/2-1"' in read_bytes(to_place(str(page))).decode()
