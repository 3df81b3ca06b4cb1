"""How networks are judged: by figures that are right for pictures of which one knows them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from stylebatch.tasks.nst.criterion import Criterion
from stylebatch.tasks.training.held_out import HeldOut
from stylebatch.tasks.training.photographs import read_photographs
from stylebatch.tasks.training.request import Request


class Unchanged(nn.Module):
    """Gives each content back."""

    def forward(self, pictures: Tensor, condition: Tensor, dtype: torch.dtype) -> Tensor:
        return pictures


class Grey(Unchanged):
    """Paints nothing."""

    def forward(self, pictures: Tensor, condition: Tensor, dtype: torch.dtype) -> Tensor:
        return torch.full_like(pictures, 0.5)


@pytest.fixture(scope="module")
def held_out(learning: Request) -> HeldOut:
    return HeldOut(read_photographs(learning), 64, 1.0, Criterion(0.6, 1.0, 8e-4), torch.float32, "cpu")


def test_the_content_itself_has_all_structure_and_grey_has_none(held_out: HeldOut) -> None:
    unchanged, grey = held_out.judge(Unchanged()), held_out.judge(Grey())  # type: ignore[arg-type]
    assert unchanged.structure == pytest.approx(1, abs=1e-3)
    assert abs(grey.structure) < 0.3
    assert unchanged.style_distance > 0.3
    assert grey.loss > unchanged.loss


def test_a_preview_shows_contents_and_styles_side_by_side(held_out: HeldOut) -> None:
    assert held_out.preview(Unchanged()).size == (128, 128)  # type: ignore[arg-type]
