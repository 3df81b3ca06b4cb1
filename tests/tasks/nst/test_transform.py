"""The transformation network: shapes, range, batches, and strips that equal the whole."""

from __future__ import annotations

import pytest
import torch

from stylebatch.tasks.nst.transform import Architecture, TransformNetwork

SMALL = Architecture(outer=8, trunk=16, blocks=2)


@pytest.fixture
def network() -> TransformNetwork:
    """One whose last layer is not at its start, where it would change nothing."""
    torch.manual_seed(3)
    network = TransformNetwork(SMALL)
    torch.nn.init.normal_(network.painter.weight, std=0.02)
    return network


@pytest.mark.parametrize(("height", "width"), [(64, 96), (65, 97), (67, 64), (70, 63)])
@torch.no_grad()
def test_a_picture_of_any_sides_keeps_them_and_stays_in_the_range(
    network: TransformNetwork, height: int, width: int
) -> None:
    picture = network(torch.rand(1, 3, height, width))
    assert picture.shape == (1, 3, height, width)
    assert picture.dtype == torch.float32
    assert 0 <= picture.min() < picture.max() <= 1


@torch.no_grad()
def test_pictures_of_a_batch_do_not_know_of_each_other(network: TransformNetwork) -> None:
    pictures = torch.rand(3, 3, 48, 64)
    pictures[1] *= 0.1
    together = network(pictures)
    for number, picture in enumerate(pictures):
        torch.testing.assert_close(network(picture[None])[0], together[number], rtol=0, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 7, 16, 1000])
@torch.no_grad()
def test_strips_equal_the_whole_picture_within_rounding(network: TransformNetwork, rows: int) -> None:
    picture = torch.rand(1, 3, 61, 66)
    whole = network(picture)
    assert (whole.std(dim=(-1, -2)) > 0.01).all()
    torch.testing.assert_close(network(picture, strip=rows), whole, rtol=0, atol=2e-5)


@torch.no_grad()
def test_strips_in_bfloat16_leave_no_seam(network: TransformNetwork) -> None:
    picture = torch.rand(1, 3, 64, 64)
    whole, strips = (network(picture, torch.bfloat16, strip) for strip in (None, 8))
    apart = (whole - strips).abs().mean(dim=(0, 1, 3))  # by row
    assert apart.max() < 0.01


@torch.no_grad()
def test_an_even_picture_is_painted_on(network: TransformNetwork) -> None:
    assert (network(torch.full((1, 3, 64, 64), 0.5)).std(dim=(-1, -2)) > 0.01).all()


@torch.no_grad()
def test_the_same_picture_gives_the_same_outcome(network: TransformNetwork) -> None:
    picture = torch.rand(1, 3, 48, 48)
    assert torch.equal(network(picture), network(picture))
