"""Muon steps along orthogonal matrices, and as torch's own does in a format of fewer bits."""

from __future__ import annotations

import pytest
import torch

from stylebatch.tasks.nst.muon import Muon, orthogonalized


@pytest.mark.parametrize("shape", [(8, 24), (24, 8), (16, 16)])
def test_singular_values_become_about_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(3, *shape) * torch.tensor([1e-4, 1.0, 1e4]).view(3, 1, 1)
    found, given = orthogonalized(matrices), torch.linalg.svd(matrices, full_matrices=False)
    values = torch.linalg.svdvals(found)
    assert values.max() < 1.25
    counting = given.S / given.S[:, :1] > 0.05
    assert values[counting].min() > 0.6
    nearest = given.U @ given.Vh
    assert torch.cosine_similarity(found.flatten(1), nearest.flatten(1)).min() > 0.9


@pytest.mark.slow
def test_steps_are_those_of_torchs_own() -> None:
    torch.manual_seed(0)
    start = [torch.randn(shape) for shape in ((8, 24), (8, 24), (24, 8))]
    own, torchs = ([one.clone().requires_grad_() for one in start] for _ in range(2))
    ours, theirs = Muon(own, lr=0.01), torch.optim.Muon(torchs, lr=0.01, weight_decay=0.0, momentum=0.95)
    for _ in range(3):
        for one, other in zip(own, torchs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        ours.step()
        theirs.step()  # type: ignore[no-untyped-call]
    for one, other, first in zip(own, torchs, start, strict=True):
        assert (one - other).norm() < 0.03 * (other - first).norm()
