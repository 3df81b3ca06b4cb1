"""Keeping the content's colours: the statistics and the identities that the methods are defined by."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stylebatch.tasks.nst.color import grey, luminance, match_colors, match_luminance, with_colors_of


@pytest.fixture
def content() -> Tensor:
    """Warm and of little contrast, so that nothing has to be clamped."""
    generator = torch.Generator().manual_seed(0)
    tint = torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1)
    return tint + 0.1 * (torch.rand((1, 3, 20, 30), generator=generator) - 0.5)


@pytest.fixture
def style() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    mixed = torch.rand((1, 3, 16, 24), generator=generator)
    return torch.cat([mixed[:, :1], mixed[:, 1:2] * 0.5 + mixed[:, :1] * 0.5, mixed[:, 2:]], dim=1)


def moments(picture: Tensor) -> tuple[Tensor, Tensor]:
    colors = picture[0].flatten(1)
    return colors.mean(1), torch.cov(colors)


def test_matched_colors_have_the_contents_mean_and_covariance(content: Tensor, style: Tensor) -> None:
    matched = match_colors(style, content)
    assert matched.shape == style.shape
    for one, other in zip(moments(matched), moments(content), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-5)


def test_a_grey_style_is_no_division_by_zero(content: Tensor, style: Tensor) -> None:
    matched = match_colors(grey(style), content)
    assert matched.isfinite().all()
    torch.testing.assert_close(moments(matched)[0], moments(content)[0], rtol=1e-3, atol=1e-3)


def test_matched_luminance_has_the_contents_mean_and_spread(content: Tensor, style: Tensor) -> None:
    matched = match_luminance(style, content)
    assert torch.equal(matched[:, 0], matched[:, 2])
    assert luminance(matched).mean().item() == pytest.approx(luminance(content).mean().item(), rel=1e-4)
    assert luminance(matched).std().item() == pytest.approx(luminance(content).std().item(), rel=1e-3)


def test_luminance_of_one_with_the_colors_of_the_other(content: Tensor) -> None:
    picture = content.flip(3)
    joined = with_colors_of(content, picture)
    torch.testing.assert_close(luminance(joined), luminance(picture))
    torch.testing.assert_close(joined - grey(joined), content - grey(content))


def test_grey_is_grey(content: Tensor) -> None:
    assert torch.equal(grey(content)[:, 0], grey(content)[:, 1])
    torch.testing.assert_close(luminance(grey(content)), luminance(content))
