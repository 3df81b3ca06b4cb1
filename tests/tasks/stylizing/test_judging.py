"""The figures of every picture: their definitions, in whichever way they are computed, and what is said of low ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.figures import LAYERS
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.stylizing import judging
from stylebatch.tasks.stylizing.objective import to_tensor
from stylebatch.tasks.stylizing.stylize import stylize

CPU = Pool([Slot("cpu")])
CHELSEA, SWIRLS, WAVES = "images/chelsea.jpg", "styles/swirls.jpg", "styles/waves.jpg"


@pytest.fixture(scope="module")
def judge() -> Encoder:
    return Encoder(LAYERS)


def make_job(samples: Path, **settings: object) -> Job:
    row = {"content": CHELSEA, "style": SWIRLS, "size": 64, "steps": 2, "precision": "float32", **settings}
    pairs, bad_rows = check_rows(Manifest(samples / "test.yaml", [row]), {})
    assert not bad_rows
    (job,), _ = make_jobs(Manifest(samples / "test.yaml", [row]), pairs, Slot("cpu"))
    return job


def features(judge: Encoder, picture: Image.Image) -> dict[str, np.ndarray]:
    """By layer, (C, positions), in double precision."""
    with torch.no_grad():
        seen: dict[str, np.ndarray] = judge(
            to_tensor(picture, "cpu"), dict.fromkeys(LAYERS, lambda one: one[0].flatten(1).double().numpy())
        )
    return seen


def structure(one: np.ndarray, other: np.ndarray) -> float:
    a, b = ((rows - rows.mean(1, keepdims=True)) / (rows.std(1, keepdims=True) + 1e-9) for rows in (one, other))
    return float(np.mean((a * b).sum(0) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)))


def gram(rows: np.ndarray, shares: np.ndarray | None = None) -> np.ndarray:
    shares = np.ones(rows.shape[1]) if shares is None else shares
    product: np.ndarray = (rows * shares) @ rows.T / shares.sum()
    return product


def distance(grams: dict[str, np.ndarray], styles: dict[str, np.ndarray]) -> float:
    apart = [np.linalg.norm(grams[layer] - styles[layer]) / np.linalg.norm(styles[layer]) for layer in LAYERS[1:]]
    return float(np.mean(apart))


@pytest.mark.parametrize(
    ("settings", "side"),
    [
        ({}, 64),
        ({"objective": "classic", "style_scale": 1.5}, 64),
        ({"pooling": "average"}, 64),  # seen by another network than the judge
        ({"preserve_color": "luminance"}, 64),
        pytest.param(
            {"size": 320, "steps": 1, "style_layers": "relu1_1", "content_layers": "relu1_1"},
            256,
            marks=pytest.mark.slow,  # as large as judges see pictures at all
        ),
    ],
    ids=str,
)
def test_the_figures_are_those_of_an_independent_computation(
    tmp_path: Path, samples: Path, judge: Encoder, settings: dict[str, object], side: int
) -> None:
    job, store = make_job(samples, **settings), Store(tmp_path)
    record = stylize(job, store, CPU)
    written = load_picture(store.picture(job.key, "png"))
    if max(written.size) > side:
        written = written.resize((side, round(written.height * side / written.width)), Image.Resampling.BILINEAR)
    content = load_picture(samples / CHELSEA).resize(written.size, Image.Resampling.BILINEAR)
    style = load_picture(samples / SWIRLS)
    longer = side * job.settings.style_scale / max(style.size)
    style = style.resize([round(one * longer) for one in style.size], Image.Resampling.BILINEAR)
    found, kept, wanted = (features(judge, picture) for picture in (written, content, style))
    assert record.structure == pytest.approx(structure(found["relu4_1"], kept["relu4_1"]), abs=1e-3)
    grams, styles = ({layer: gram(rows) for layer, rows in seen.items()} for seen in (found, wanted))
    assert record.style_distance == pytest.approx(distance(grams, styles), rel=1e-4)


def test_one_pass_and_a_pass_of_its_own_tell_the_same(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a blend, and of styles within masks."""
    mask = Image.new("L", (60, 40))
    mask.paste(255, (0, 0, 25, 40))
    mask.save(tmp_path / "left.png")
    mask.point(lambda value: 255 - value).save(tmp_path / "right.png")
    masks = [str(tmp_path / "left.png"), str(tmp_path / "right.png")]
    for given in ({"style": [SWIRLS, WAVES]}, {"style": [SWIRLS, WAVES], "masks": masks}):
        job, found = make_job(samples, **given), []
        for name in ("at once", "apart"):
            with monkeypatch.context() as patched:
                if name == "apart":
                    patched.setattr(judging, "_sees_what_judges_see", lambda job, picture: False)
                record = stylize(job, Store(tmp_path / name), CPU)
                found.append((record.structure, record.style_distance, record.total_loss))
        assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_a_picture_that_is_too_narrow_has_no_figures(tmp_path: Path, samples: Path) -> None:
    Image.new("RGB", (64, 8), "teal").save(tmp_path / "narrow.png")
    given = {"content": str(tmp_path / "narrow.png"), "style_layers": "relu1_1", "content_layers": "relu2_1"}
    record = stylize(make_job(samples, **given), Store(tmp_path), CPU)
    assert (record.structure, record.style_distance, record.content_lost) == (None, None, None)


def test_a_picture_whose_content_is_lost_is_known_as_such(tmp_path: Path, samples: Path) -> None:
    kept = stylize(make_job(samples), Store(tmp_path), CPU)
    lost = stylize(make_job(samples, content_weight=0, init="noise"), Store(tmp_path), CPU)
    assert kept.content_lost is False
    assert lost.content_lost is True
