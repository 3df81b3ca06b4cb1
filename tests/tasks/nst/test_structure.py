"""What stays of a photograph: normalized features are what they say, and structure is its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stylebatch.tasks.nst.structure import normalized, structure


def features(seed: int, pictures: int = 1) -> torch.Tensor:
    return torch.rand((pictures, 6, 5, 7), generator=torch.Generator().manual_seed(seed))


def test_every_channel_of_every_picture_is_normalized_by_itself() -> None:
    both = features(1, 2)
    both[1] = 40 + 9 * both[1]
    found = normalized(both)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.mean((2, 3)), torch.zeros(2, 6), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std((2, 3), correction=0), torch.ones(2, 6), atol=1e-4, rtol=0)
    torch.testing.assert_close(found[1:], normalized(both[1:]))


def test_a_channel_without_anything_in_it_stays_empty() -> None:
    given = features(1)
    given[:, 2] = 3.0
    given.requires_grad_()
    found = normalized(given, 0.01)
    assert found[:, 2].abs().max() == 0
    (gradient,) = torch.autograd.grad(found.square().sum(), given)
    assert gradient.isfinite().all()


def test_a_floor_holds_faint_channels_down() -> None:
    given = features(1)
    given[:, 0] *= 1e-4
    deviations = given[0].std((1, 2), correction=0)
    expected = (given[0, 0] - given[0, 0].mean()) / (deviations[0] + 0.01 * deviations.mean())
    torch.testing.assert_close(normalized(given, 0.01)[0, 0], expected, atol=1e-4, rtol=1e-2)
    assert normalized(given, 0.01)[0, 0].std() < 0.02


def test_the_gradient_is_that_which_autograd_finds() -> None:
    given, direction = features(1, 2), features(3, 2)

    def written_out(seen: torch.Tensor) -> torch.Tensor:
        deviation = seen.std((2, 3), correction=0, keepdim=True)
        floored = deviation + 0.1 * deviation.mean(1, keepdim=True)
        return (seen - seen.mean((2, 3), keepdim=True)) / floored

    gradients: list[torch.Tensor] = []
    for normalize in (written_out, lambda seen: normalized(seen, 0.1)):
        seen = given.clone().requires_grad_()
        gradients += torch.autograd.grad((normalize(seen) * direction).sum(), seen)
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


def test_structure_is_the_mean_cosine_of_normalized_features() -> None:
    """Against another implementation, in NumPy and double precision."""
    one, other = features(1), features(2)

    def normal(picture: torch.Tensor) -> np.ndarray:
        rows = picture[0].double().numpy().reshape(6, 35)
        result: np.ndarray = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
        return result

    a, b = normal(one), normal(other)
    expected = np.mean([a[:, i] @ b[:, i] / np.linalg.norm(a[:, i]) / np.linalg.norm(b[:, i]) for i in range(35)])
    assert structure(one, other) == pytest.approx(expected, abs=1e-5)
    assert structure(one, one) == pytest.approx(1)
    assert structure(5 + 3 * one, one) == pytest.approx(1, abs=1e-5)  # it knows no levels
    assert structure(-one, one) == pytest.approx(-1, abs=1e-5)
