"""Drawn pictures that have to pass, and those in several styles: what a run makes and keeps of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stylebatch.flows.stylize import stylize
from stylebatch.tasks.again.reprocess import make_plan
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.pictures.voronoi import cell_mask, cells_of
from stylebatch.tasks.request.manifest import read_manifest
from stylebatch.tasks.runs.report import count
from tests.command import call

CONTENTS, STYLES = ["x.png", "y.png"], ["a.png", "b.png", "c.png"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate([*CONTENTS, *STYLES]):
        grey = Image.effect_mandelbrot((80, 64), (-2 + number / 4, -1, 1, 1), 20 + 10 * number)
        mirrored = grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        Image.merge("RGB", (grey, grey.rotate(90 * number), mirrored)).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def manifest(folder: Path, small_network: Path) -> Any:
    """Write a manifest of all contents and styles, perhaps with a draw."""

    def write(**draw: Any) -> Path:
        defaults = {"size": "64", "engine": "feedforward", "model": str(small_network)}
        asked = {"defaults": defaults, "contents": CONTENTS, "styles": STYLES} | ({"draw": draw} if draw else {})
        (folder / "my.yaml").write_text(json.dumps(asked))  # which is YAML, too
        return folder / "my.yaml"

    return write


def report(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "out/report.parquet")


@pytest.mark.usefixtures("prefect", "restored_process", "no_grids")
def test_what_does_not_pass_is_tried_in_the_next_style_and_the_best_is_kept(folder: Path, manifest: Any) -> None:
    out = folder / "out"
    outcomes = stylize(manifest(seed=1, keep="structure > 2"), out)
    assert count(outcomes) == {"completed": 2, "cached": 0, "failed": 0}
    kept = report(folder)
    assert kept.tries.tolist() == [3, 3]
    assert kept.passed.tolist() == [False, False]
    assert sorted(file.name for file in (out / "images").iterdir()) == sorted(f"{name}.png" for name in kept.id)

    assert count(stylize(manifest(), out)) == {"completed": 0, "cached": 6, "failed": 0}, "all that was tried is there"
    product = report(folder)
    best = product.loc[product.groupby("content").structure.idxmax()]
    assert best.key.tolist() == kept.key.tolist()
    assert best["style"].tolist() == kept["style"].tolist()
    assert product.tries.isna().all()

    # What the first content's second style comes to is enough now: nothing is computed, and Prefect is not needed.
    first = read_manifest(manifest(seed=1, keep="structure > 2")).rows[0]
    found = product.set_index(["content", "style"]).structure
    order = [first["style"], *first["next_styles"]]
    threshold = float(found["x.png", order[1]])
    done = call("run", manifest(seed=1, keep=f"structure >= {threshold!r}"), "--out", out)
    assert done.exit_code == 0, done.output
    x, y = report(folder).to_dict("records")
    expected = 1 if found["x.png", order[0]] >= threshold else 2
    assert (x["tries"], x["passed"], x["style"]) == (expected, True, order[expected - 1])
    assert y["passed"] == bool(found["y.png"].max() >= threshold)
    assert ("1 picture does not fulfil `keep`" in done.output) == (not y["passed"])
    plan = make_plan(out, failed=False, where="", overrides={}, slot=Slot("cpu"))
    assert (plan.unchanged, plan.gone, plan.reasons) == (2, 0, {}), "a row is known by whichever of its styles was kept"


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_each_region_has_its_own_style(folder: Path, manifest: Any) -> None:
    def pixels(output: str) -> np.ndarray:
        return np.asarray(Image.open(folder / "out" / output))

    stylize(manifest(), folder / "out")
    single = report(folder).set_index(["content", "style"]).output.map(pixels)
    stylize(manifest(regions=2), folder / "out")
    row = report(folder).iloc[0]
    assert row.masks_sha256.count("+") == 1
    asked = read_manifest(folder / "my.yaml").rows[0]
    one, other = cells_of(asked["masks"])
    within = np.asarray(cell_mask(one, row.width, row.height))[..., None] > 0
    assert 0.05 < within.mean() < 0.95
    expected = np.where(within, *(single["x.png", style] for style in asked["style"]))
    assert np.array_equal(pixels(row.output), expected)
    assert other.number == 2
