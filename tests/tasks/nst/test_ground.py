"""The ground: colours and contrasts of a style, in closed form."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stylebatch.tasks.nst.ground import STATISTICS, ground, statistics


def picture(height: int, width: int, seed: int, tint: tuple[float, float, float], coarse: int = 1) -> Tensor:
    """Noise (1, 3, height, width) of one tint, in squares of so many pixels."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand((1, 3, -(-height // coarse), -(-width // coarse)), generator=generator)
    grown = F.interpolate(noise, scale_factor=coarse)[..., :height, :width]
    return grown * torch.tensor(tint).view(1, 3, 1, 1)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (65, 97), (33, 40)])
def test_what_the_statistics_say_of_the_ground_is_what_they_say_of_the_style(height: int, width: int) -> None:
    content, style = picture(height, width, 1, (0.5, 0.9, 0.7)), picture(80, 80, 2, (1.0, 0.4, 0.2), 2)
    asked = statistics(style)
    assert asked.shape == (1, STATISTICS)
    found = statistics(ground(content, asked))
    assert (found - asked).norm() < 0.3 * (statistics(content) - asked).norm()
    torch.testing.assert_close(found[:, :3], asked[:, :3], rtol=0, atol=0.02)  # the mean colour


def test_a_picture_with_the_statistics_already_stays_as_it_is() -> None:
    content = picture(64, 80, 3, (0.8, 0.8, 0.3), 4)
    assert (ground(content, statistics(content)) - content).abs().mean() < 0.005


def test_an_even_content_gets_no_noise_blown_up() -> None:
    content = 0.5 + 0.002 * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    style = picture(64, 64, 5, (1.0, 1.0, 1.0))
    assert style.std() > 0.25
    assert ground(content, statistics(style)).std() < 0.1


def test_pictures_of_a_batch_have_styles_of_their_own() -> None:
    contents = torch.cat([picture(40, 48, n, (0.6, 0.7, 0.8)) for n in (6, 7)])
    styles = torch.cat([statistics(picture(50, 50, n, (0.2 * n, 0.1, 1.0))) for n in (1, 4)])
    together = ground(contents, styles)
    for n in range(2):
        torch.testing.assert_close(ground(contents[n : n + 1], styles[n : n + 1]), together[n : n + 1])


def test_a_picture_of_a_few_pixels_has_a_ground() -> None:
    small = ground(picture(3, 5, 8, (0.5, 0.5, 0.5)), statistics(picture(64, 64, 9, (0.9, 0.3, 0.3))))
    assert small.shape == (1, 3, 3, 5)
    assert small.isfinite().all()


def test_gradients_take_the_move_of_the_colours_as_given() -> None:
    content = picture(40, 48, 6, (0.6, 0.7, 0.8)).requires_grad_()
    wanted = statistics(picture(50, 50, 1, (1, 0.4, 0.2)))
    value = ground(content, wanted)[0, 1, 20, 30]
    (gradient,) = torch.autograd.grad(value, content)
    # So moved, the colours are linear in the content's, but for the style's mean.
    assert (gradient * content).sum().item() == pytest.approx((value - wanted[0, 1]).item(), abs=1e-4)
    assert abs(value.item() - wanted[0, 1].item()) > 0.01
