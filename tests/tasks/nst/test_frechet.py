"""The distance between sets of pictures, against another computation of it, and whether it orders them sensibly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.frechet import LAYER, Gaussian, cells, frechet_distance, gaussian_of


def by_numpy(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and Ledoit-Wolf covariance, sample by sample as the paper writes it."""
    n, p = x.shape
    mean = x.mean(0)
    x = x - mean
    s = np.cov(x.T, bias=True)
    m = np.trace(s) / p
    d2 = np.linalg.norm(s - m * np.eye(p), "fro") ** 2
    b2 = min(d2, sum(np.linalg.norm(np.outer(one, one) - s, "fro") ** 2 for one in x) / n**2)
    return mean, b2 / d2 * m * np.eye(p) + (d2 - b2) / d2 * s


@pytest.mark.parametrize("count", [7, 60])
def test_it_is_what_another_computation_gives(count: int) -> None:
    generator = np.random.default_rng(2)
    sets = [generator.normal(shift, 1 + shift, (count, 12)) @ generator.normal(size=(12, 12)) for shift in (0.0, 0.5)]
    ours = [gaussian_of([torch.tensor(x[:3]), torch.tensor(x[3:])]) for x in sets]
    theirs = [by_numpy(x) for x in sets]
    for gaussian, (mean, covariance) in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(gaussian.mean, mean)
        np.testing.assert_allclose(gaussian.covariance, covariance)
    (m1, s1), (m2, s2) = theirs
    # The eigenvalues of a product of two such matrices are real and not negative, though it is not symmetric.
    common = np.sqrt(np.linalg.eigvals(s1 @ s2).real.clip(0)).sum()
    expected = ((m1 - m2) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * common
    assert frechet_distance(*ours) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(ours[0], ours[0]) == pytest.approx(0, abs=1e-9 * expected)


def test_of_gaussians_without_width_it_is_the_square_of_the_way() -> None:
    nothing = torch.zeros(2, 2, dtype=torch.double)
    one, other = (Gaussian(torch.tensor(mean).double(), nothing) for mean in ([0.0, 0.0], [3.0, 4.0]))
    assert frechet_distance(one, other) == pytest.approx(25)
    assert gaussian_of([torch.ones(3, 2)]).covariance.abs().max() == 0


def test_parts_of_one_painting_are_nearer_to_each_other_than_photographs_are(samples: Path) -> None:
    encoder = Encoder([LAYER])

    def parts(names: Sequence[str], corner: int) -> list[Tensor]:
        """Two pieces of 96 px of each picture, from its left or its right."""
        found = []
        for name in names:
            picture = Image.open(samples / name).convert("RGB").resize((224, 224))
            for top in (0, 128):
                piece = picture.crop((corner, top, corner + 96, top + 96))
                found.append(torch.from_numpy(np.array(piece)).permute(2, 0, 1)[None].float() / 255)
        return found

    photographs = [f"images/{name}.jpg" for name in ("chelsea", "coffee", "rocket")]
    left, right, far = (
        gaussian_of(cells(encoder, one) for one in found)
        for found in (parts(["styles/swirls.jpg"], 0), parts(["styles/swirls.jpg"], 128), parts(photographs, 0))
    )
    assert frechet_distance(left, right) < 0.3 * frechet_distance(left, far)


def test_cells_are_means_over_the_picture() -> None:
    encoder = Encoder([LAYER])
    picture = torch.rand(1, 3, 70, 100)
    found = cells(encoder, picture)
    assert found.shape == (2 * 3, 256)
    (features,) = encoder(picture, {LAYER: Tensor.float}).values()
    torch.testing.assert_close(found[0], features[0, :, :8, :8].mean((1, 2)))
    torch.testing.assert_close(found[5], features[0, :, 8:16, 16:24].mean((1, 2)))
    assert cells(encoder, picture[..., :20, :20]).shape == (1, 256)
