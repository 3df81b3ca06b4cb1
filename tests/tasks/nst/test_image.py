"""The parametrization: exact at the start, in range, with a gradient that leads back into the range."""

from __future__ import annotations

import pytest
import torch

from stylebatch.tasks.nst.image import FourierImage, clamp_to_range, frequency_scale, noise


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 10), (9, 5), (1, 6)])
def test_zero_coefficients_are_the_start_picture(height: int, width: int) -> None:
    start = torch.rand(1, 3, height, width)
    image = FourierImage(start)
    assert torch.equal(image.decode(image.coefficients), start)


@pytest.mark.parametrize("shape", [(8, 8), (7, 10)])
def test_every_coefficient_moves_the_picture_by_its_scale(shape: tuple[int, int]) -> None:
    image = FourierImage(torch.full((1, 3, *shape), 0.5))
    coefficients = image.coefficients.clone()
    coefficients[0, 1, 2, 1, 0] = 0.01
    change = image.decode(coefficients) - 0.5
    # A coefficient of a real transform stands for itself and its conjugate, each with the same share of the energy.
    assert change.norm().item() == pytest.approx(0.01 * image.scale[2, 1].item() * 2**0.5, rel=1e-4)
    assert change[0, [0, 2]].abs().max() == 0


def test_low_frequencies_move_further() -> None:
    scale = frequency_scale(16, 16)
    assert scale[0, 4] / scale[0, 8] == pytest.approx(2**0.5)
    assert scale[0, 0] == scale[0, 1] == scale.max()


def test_decoded_pixels_are_in_range() -> None:
    image = FourierImage(torch.rand(1, 3, 8, 8))
    picture = image.decode(torch.randn(image.coefficients.shape) * 10)
    assert picture.min() == 0
    assert picture.max() == 1


def test_a_pixel_out_of_range_keeps_the_gradient_that_leads_back() -> None:
    x = torch.tensor([-0.5, -0.5, 0.5, 1.5, 1.5], requires_grad=True)
    upstream = torch.tensor([-1.0, 1.0, 1.0, 1.0, -1.0])
    (gradient,) = torch.autograd.grad(clamp_to_range(x), x, upstream)
    assert gradient.tolist() == [-1.0, 0.0, 1.0, 1.0, 0.0]


def test_noise_follows_its_seed() -> None:
    assert torch.equal(noise(8, 9, seed=3), noise(8, 9, seed=3))
    assert not torch.equal(noise(8, 9, seed=3), noise(8, 9, seed=4))
    assert noise(8, 9, seed=3).shape == (1, 3, 8, 9)
