"""The network for any style: shapes, range, batches of different styles, and strips that equal the whole."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stylebatch.tasks.nst.any_style import AnyStyleNetwork, Architecture
from stylebatch.tasks.nst.condition import MOMENTS, WIDTH
from stylebatch.tasks.nst.ground import ground, statistics

SMALL = Architecture(outer=8, middle=12, trunk=16, blocks=2, width=8)


@pytest.fixture
def network() -> AnyStyleNetwork:
    """One whose last layer is not at its start, where it would change nothing, and that heeds the condition."""
    torch.manual_seed(3)
    network = AnyStyleNetwork(SMALL)
    torch.nn.init.normal_(network.painter.weight, std=0.2)
    torch.nn.init.normal_(network.modulator.weight, std=0.5)
    return network


def conditions(count: int, seed: int = 5) -> Tensor:
    """Of made-up styles, (count, `WIDTH`)."""
    generator = torch.Generator().manual_seed(seed)
    told = torch.rand((count, MOMENTS), generator=generator)
    return torch.cat([told, statistics(torch.rand((count, 3, 40, 40), generator=generator))], 1)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (65, 97), (67, 64), (70, 63)])
@torch.no_grad()
def test_a_picture_of_any_sides_keeps_them_and_stays_in_the_range(
    network: AnyStyleNetwork, height: int, width: int
) -> None:
    picture = network(torch.rand(1, 3, height, width), conditions(1))
    assert picture.shape == (1, 3, height, width)
    assert picture.dtype == torch.float32
    assert 0 <= picture.min() < picture.max() <= 1


@torch.no_grad()
def test_pictures_of_a_batch_know_nothing_of_each_other_nor_of_the_others_styles(network: AnyStyleNetwork) -> None:
    pictures, styles = torch.rand(3, 3, 48, 64), conditions(3)
    pictures[1] *= 0.1
    together = network(pictures, styles)
    for n in range(3):
        alone = network(pictures[n : n + 1], styles[n : n + 1])
        torch.testing.assert_close(alone[0], together[n], rtol=0, atol=1e-5)


@torch.no_grad()
def test_another_style_gives_another_picture(network: AnyStyleNetwork) -> None:
    picture, styles = torch.rand(1, 3, 48, 48), conditions(2)
    styles[1, MOMENTS:] = styles[0, MOMENTS:]  # of the same colours
    one, other = (network(picture, style[None]) for style in styles)
    assert (one - other).abs().mean() > 0.01


@pytest.mark.parametrize("rows", [1, 7, 16, 1000])
@torch.no_grad()
def test_strips_equal_the_whole_picture_within_rounding(network: AnyStyleNetwork, rows: int) -> None:
    picture, style = torch.rand(1, 3, 61, 66), conditions(1)
    whole = network(picture, style)
    assert (whole.std(dim=(-1, -2)) > 0.01).all()
    torch.testing.assert_close(network(picture, style, strip=rows), whole, rtol=0, atol=2e-5)


@torch.no_grad()
def test_strips_in_bfloat16_leave_no_seam(network: AnyStyleNetwork) -> None:
    picture, style = torch.rand(1, 3, 64, 64), conditions(1)
    whole, strips = (network(picture, style, torch.bfloat16, strip) for strip in (None, 8))
    apart = (whole - strips).abs().mean(dim=(0, 1, 3))  # by row
    assert apart.max() < 0.01


@torch.no_grad()
def test_a_network_at_its_start_gives_the_ground() -> None:
    picture, styles = torch.rand(2, 3, 32, 40), conditions(2)
    expected = ground(picture, styles[:, MOMENTS:]).clamp(0, 1)
    torch.testing.assert_close(AnyStyleNetwork(SMALL)(picture, styles), expected)


def test_a_condition_holds_moments_and_statistics_and_no_more() -> None:
    assert WIDTH == 2 * (64 + 128 + 256 + 512) + 3 + 9 * 5
