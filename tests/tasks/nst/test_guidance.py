"""Guided Gram matrices: against their formula, their gradient, and where a region is everything or nothing."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from stylebatch.tasks.nst.guidance import guided_distance, guided_gram, normalize_masks, regions_at
from stylebatch.tasks.nst.losses import blend, gram_matrix


def soft_mask(height: int, width: int) -> torch.Tensor:
    """Some positions out, some in, some in part."""
    return (2 * torch.rand(1, height, width, generator=torch.Generator().manual_seed(0)) - 0.5).clamp(0, 1)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_guided_gram_matrix_is_its_formula(memory_format: torch.memory_format) -> None:
    features = torch.randn(1, 5, 6, 4).to(memory_format=memory_format)
    mask = soft_mask(6, 4)
    (region,) = regions_at(mask, [1.0], 6, 4)
    assert 0 < len(region.positions) < 24
    guidance = (mask / mask.sum()).sqrt()  # the paper's T, of which the squares add up to 1
    guided = (features[0] * guidance).flatten(1)
    torch.testing.assert_close(guided_gram(features, region), guided @ guided.T)


def test_it_has_the_gradient_that_autograd_finds() -> None:
    features = torch.randn(1, 5, 6, 4, dtype=torch.float64, requires_grad=True)
    mask, target = soft_mask(6, 4), torch.randn(5, 5)
    target = target + target.T
    (region,) = regions_at(mask, [1.0], 6, 4)
    guided = (features[0] * (mask / mask.sum()).sqrt()).flatten(1)
    (expected,) = torch.autograd.grad(((guided @ guided.T - target) ** 2).mean(), features)
    (gradient,) = torch.autograd.grad(((guided_gram(features, region) - target) ** 2).mean(), features)
    torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=1e-6)


def test_a_mask_of_everything_is_no_mask() -> None:
    features, target = torch.randn(1, 5, 8, 8), torch.randn(1, 5, 5)
    regions = regions_at(torch.ones(1, 16, 16), [1.0], 8, 8)
    unguided = ((gram_matrix(features) - target[0]) ** 2).mean()
    torch.testing.assert_close(guided_distance(features, regions, target, F.mse_loss), unguided)


def test_an_empty_region_has_neither_loss_nor_gradient() -> None:
    features = torch.randn(1, 5, 8, 8, requires_grad=True)
    masks = torch.stack([torch.ones(16, 16), torch.zeros(16, 16)])
    alone = guided_distance(features, regions_at(masks[:1], [1.0], 8, 8), torch.ones(1, 5, 5), F.mse_loss)
    both = guided_distance(features, regions_at(masks, [1.0, 1.0], 8, 8), torch.ones(2, 5, 5), F.mse_loss)
    assert alone.item() == both.item()
    assert guided_distance(features, regions_at(masks[1:], [1.0], 8, 8), torch.ones(1, 5, 5), F.mse_loss).item() == 0
    (gradient,) = torch.autograd.grad(both, features)
    assert gradient.isfinite().all()


def test_the_pull_on_a_position_does_not_depend_on_the_regions_size() -> None:
    """Equal features everywhere: the gradient at a position is the same in a large and in a small region."""
    features = torch.ones(1, 3, 8, 8, requires_grad=True)
    masks = torch.zeros(2, 8, 8)
    masks[0, :, :6], masks[1, :, 6:] = 1, 1
    loss = guided_distance(features, regions_at(masks, [1.0, 1.0], 8, 8), torch.zeros(2, 3, 3), F.mse_loss)
    (gradient,) = torch.autograd.grad(loss, features)
    assert gradient.min() > 0
    torch.testing.assert_close(gradient, gradient[:, :, :1, :1].expand_as(gradient))


def test_styles_that_share_the_whole_picture_are_a_blend() -> None:
    features = torch.randn(1, 5, 8, 8, requires_grad=True)
    grams = [{"relu1_1": gram_matrix(torch.randn(1, 5, 8, 8))} for _ in range(2)]
    shares = [0.75, 0.25]
    regions = regions_at(normalize_masks(torch.ones(2, 8, 8)), [2 * share for share in shares], 8, 8)
    shared = guided_distance(features, regions, torch.stack([gram["relu1_1"] for gram in grams]), F.mse_loss)
    blended = ((gram_matrix(features) - blend(grams, shares)["relu1_1"]) ** 2).mean()
    assert shared.item() > blended.item()  # by what the styles are apart, which has no gradient
    torch.testing.assert_close(torch.autograd.grad(shared, features), torch.autograd.grad(blended, features))


def test_masks_are_scaled_down_where_they_overlap_and_nowhere_up() -> None:
    masks = torch.tensor([[[1.0, 1.0, 0.4, 0.0]], [[0.0, 1.0, 0.2, 0.0]]])
    expected = torch.tensor([[[1.0, 0.5, 0.4, 0.0]], [[0.0, 0.5, 0.2, 0.0]]])
    torch.testing.assert_close(normalize_masks(masks), expected)
