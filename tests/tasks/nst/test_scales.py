"""Coarse to fine: how the resolutions and the steps are shared out, and what one hands to the next."""

from __future__ import annotations

import pytest
import torch

from stylebatch.tasks.nst.scales import carry_over, looked_at, resolutions, scales_of


@pytest.mark.parametrize(
    ("objective", "size", "scales"),
    [
        *(("classic", *one) for one in ((64, 1), (768, 1), (769, 2), (1536, 2), (2048, 3), (4096, 4))),
        *(("balanced", *one) for one in ((64, 1), (362, 1), (363, 2), (512, 2), (768, 3), (1024, 3), (2048, 4))),
    ],
)
def test_the_coarsest_is_of_a_size_that_suits_the_network(objective: str, size: int, scales: int) -> None:
    assert scales_of(objective, size, "auto") == scales
    assert scales_of(objective, size, 5) == 5


@pytest.mark.parametrize(
    ("objective", "size", "scales", "steps", "expected"),
    [
        ("classic", 512, 1, 150, [(512, 150)]),
        ("classic", 1024, 2, 151, [(512, 75), (1024, 76)]),
        ("classic", 100, 3, 10, [(25, 3), (50, 3), (100, 4)]),
        ("classic", 100, 4, 2, [(50, 1), (100, 1)]),
        ("balanced", 256, 1, 100, [(256, 100)]),
        ("balanced", 512, 2, 100, [(256, 67), (512, 33)]),
        ("balanced", 1024, 3, 100, [(256, 58), (512, 28), (1024, 14)]),
        ("balanced", 100, 3, 4, [(25, 2), (50, 1), (100, 1)]),
        ("balanced", 100, 3, 2, [(50, 1), (100, 1)]),
    ],
)
def test_steps_are_shared_out(
    objective: str, size: int, scales: int, steps: int, expected: list[tuple[int, int]]
) -> None:
    assert resolutions(objective, size, scales, steps) == expected


def test_the_balanced_objective_goes_on_to_look_at_the_coarser_sizes() -> None:
    assert [list(looked_at("balanced", number)) for number in range(3)] == [[0], [0, 1], [0, 1, 2]]
    assert [list(looked_at("classic", number)) for number in range(3)] == [[0], [1], [2]]


def test_a_change_is_carried_over_and_the_detail_stays() -> None:
    start = 0.25 + 0.5 * torch.rand((1, 3, 32, 48), generator=torch.Generator().manual_seed(1))
    coarse = torch.full((1, 3, 16, 24), 0.5)
    torch.testing.assert_close(carry_over(start, coarse, coarse), start)
    torch.testing.assert_close(carry_over(start, coarse, coarse + 0.1), start + 0.1)
    assert carry_over(start, coarse, coarse + 1).max() == 1
