"""Memory: what the stages take is what they are known to take, and computing again changes nothing but that."""

from __future__ import annotations

import pytest
import torch

from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.losses import gram_matrix
from stylebatch.tasks.nst.memory import content_memory, peak_memory, stages_of, stages_to_recompute

LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(LAYERS)


def test_the_stages_take_what_their_features_take(encoder: Encoder) -> None:
    """Of VGG-19: two tensors of 64 channels in float32 in the first stage, and what its pooling keeps."""
    first, *others = stages_of(encoder)
    assert first.taken_in == 3 * 4
    assert first.largest == 64 * 4
    assert 2 * first.largest <= first.saved <= 3 * first.largest
    assert [stage.taken_in for stage in others] == [64, 32, 16, 8]


def test_the_content_is_kept_twice_in_float32() -> None:
    """Of relu3_1 256 channels at a sixteenth of the positions, of relu4_1 512 at a sixty-fourth."""
    for dtype in (torch.float32, torch.bfloat16):
        assert content_memory(stages_of(Encoder(LAYERS, dtype)), ["relu3_1", "relu4_1"]) == 2 * 4 * (16 + 8)


def test_encoders_that_are_built_alike_may_be_looked_at_elsewhere(encoder: Encoder) -> None:
    """The stages are measured once for all of them."""
    stages_of(encoder)
    assert content_memory(stages_of(Encoder([*LAYERS, "relu4_2"])), ["relu4_2"]) == 2 * 4 * 8


def test_bfloat16_takes_half(encoder: Encoder) -> None:
    for exact, rounded in zip(stages_of(encoder), stages_of(Encoder(LAYERS, torch.bfloat16)), strict=True):
        assert rounded.largest == exact.largest / 2


def test_computing_again_takes_less_and_a_longer_history_more(encoder: Encoder) -> None:
    stages = stages_of(encoder)
    peaks = [peak_memory(stages, 10**6, 10, recomputed) for recomputed in range(len(stages) + 1)]
    assert peaks == sorted(peaks, reverse=True)
    assert peaks[-1] < 0.95 * peaks[0]
    assert peak_memory(stages, 10**6, 20, 0) - peaks[0] == 10 * 2 * 12 * 10**6
    assert [stages_to_recompute(stages, 10**6, 10, peak) for peak in peaks[:2]] == [0, 1]
    assert stages_to_recompute(stages, 10**6, 10, 0) == len(stages)


def test_the_gradient_is_the_same_and_less_is_kept(encoder: Encoder) -> None:
    start = torch.rand((1, 3, 48, 64), generator=torch.Generator().manual_seed(1))
    found = []
    for recomputed in (0, 2, 5):
        picture = start.clone().requires_grad_()
        kept: dict[int, int] = {}

        def keep(tensor: torch.Tensor, kept: dict[int, int] = kept) -> torch.Tensor:
            kept[tensor.data_ptr()] = tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            grams = encoder(picture, dict.fromkeys(LAYERS, gram_matrix), recomputed)
            loss = torch.stack([gram.square().mean() for gram in grams.values()]).sum()
        (gradient,) = torch.autograd.grad(loss, picture)
        found.append((gradient, sum(kept.values())))
    for gradient, _ in found[1:]:
        assert torch.equal(gradient, found[0][0])
    assert found[0][1] > found[1][1] > found[2][1]
