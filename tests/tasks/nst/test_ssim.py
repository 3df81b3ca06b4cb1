"""SSIM against the paper's formula, written out for one window, and where its value is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stylebatch.tasks.nst.ssim import ssim
from stylebatch.tasks.nst.style_distance import style_distance


def test_one_window_is_the_papers_formula() -> None:
    x, y = np.random.default_rng(3).random((2, 11, 11)).astype(np.float32).astype(np.float64)
    axis = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(axis, axis) / axis.sum() ** 2
    mx, my = (window * x).sum(), (window * y).sum()
    vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
    cov = (window * (x - mx) * (y - my)).sum()
    expected = (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
    one, other = (torch.from_numpy(picture)[None, None].float() for picture in (x, y))
    assert ssim(one, other) == pytest.approx(expected, abs=1e-9)


def test_known_values() -> None:
    noise = torch.rand((1, 1, 30, 20), generator=torch.Generator().manual_seed(0))
    assert ssim(noise, noise) == pytest.approx(1)
    assert ssim(noise, 1 - noise) < -0.5
    dark, light = torch.full_like(noise, 0.25), torch.full_like(noise, 0.75)
    assert ssim(dark, light) == pytest.approx((2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4))


def test_style_distance_is_relative() -> None:
    gram = torch.rand((4, 4), generator=torch.Generator().manual_seed(0))
    assert style_distance({"a": gram}, {"a": gram}) == 0
    assert style_distance({"a": 0 * gram, "b": 3 * gram}, {"a": gram, "b": gram}) == pytest.approx(1.5)
