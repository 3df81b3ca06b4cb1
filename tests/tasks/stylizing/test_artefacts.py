"""No artefacts: the picture's edge is like its inside, nothing repeats from pixel to pixel, and no tone is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.plan.jobs import make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.stylizing.stylize import stylize

CPU = Pool([Slot("cpu")])

BAND = 4  # pixels at each side that count as the edge


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> np.ndarray:
    """Grey values (H, W) of a written picture."""
    row = {"content": "images/coffee.jpg", "style": "styles/swirls.jpg", "size": 96, "steps": 24}
    manifest = Manifest(samples / "test.yaml", [row])
    pairs, _ = check_rows(manifest, {})
    (job,), _ = make_jobs(manifest, pairs, Slot("cpu"))
    store = Store(tmp_path_factory.mktemp("out"))
    stylize(job, store, CPU)
    grey: np.ndarray = np.asarray(Image.open(store.picture(job.key, "png"))).astype(float).mean(2)
    return grey


def frame(picture: np.ndarray) -> tuple[float, float]:
    """How far the edge's mean is from the inside's, in its standard deviations, and the ratio of these."""
    edge = np.ones_like(picture, bool)
    edge[BAND:-BAND, BAND:-BAND] = False
    inside = picture[~edge]
    return abs(picture[edge].mean() - inside.mean()) / inside.std(), picture[edge].std() / inside.std()


def roughness(picture: np.ndarray) -> list[float]:
    """The differences between neighbours in the outermost line of each side, relative to those inside."""
    lines = []
    for turned in (picture, picture.T):
        differences = np.abs(np.diff(turned, axis=1)).mean(1)
        inside = differences[BAND:-BAND].mean()
        lines += [differences[0] / inside, differences[-1] / inside]
    return lines


def checkerboard(picture: np.ndarray) -> float:
    """The power at a period of two pixels, relative to that at periods just above."""
    ratios = []
    for turned in (picture, picture.T):
        power = np.abs(np.fft.fft2(turned - turned.mean())) ** 2
        middle = len(power) // 2
        ratios.append(power[middle].mean() / power[middle - 5 : middle - 1].mean())
    return float(max(ratios))


def tones(picture: np.ndarray) -> tuple[int, float]:
    """How many grey values there are, and the share of the most frequent one."""
    _, counts = np.unique(picture.round(), return_counts=True)
    return len(counts), float(counts.max() / picture.size)


@pytest.mark.slow
def test_there_is_no_frame(written: np.ndarray) -> None:
    shift, spread = frame(written)
    assert shift < 0.3
    assert 0.7 < spread < 1.4
    assert all(0.5 < ratio < 1.7 for ratio in roughness(written))


@pytest.mark.slow
def test_there_is_no_checkerboard(written: np.ndarray) -> None:
    assert checkerboard(written) < 1.5


@pytest.mark.slow
def test_there_are_no_bands(written: np.ndarray) -> None:
    different, most = tones(written)
    assert different > 150
    assert most < 0.05


@pytest.mark.slow
def test_the_measures_see_what_they_are_to_see(written: np.ndarray) -> None:
    framed = written.copy()
    framed[:BAND] = framed[-BAND:] = framed[:, :BAND] = framed[:, -BAND:] = 20
    shift, spread = frame(framed)
    assert shift > 0.3
    assert spread < 0.7
    assert min(roughness(framed)) < 0.5
    height, width = written.shape
    squares = 12 * (-1.0) ** (np.arange(height)[:, None] + np.arange(width))
    assert checkerboard(written + squares) > 1.5
    assert tones((written / 32).round() * 32)[0] < 150
