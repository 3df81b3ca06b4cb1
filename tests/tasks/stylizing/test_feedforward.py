"""Painting by a trained network where memory is plentiful and where it is short."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.models import Trained, described, write_model
from stylebatch.tasks.nst.transform import Architecture, TransformNetwork
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.stylizing import feedforward
from stylebatch.tasks.stylizing.feedforward import paint

SLOT = Slot("cpu")


def job(folder: Path, **settings: object) -> Job:
    """A job whose network is not at its start, where it would change nothing."""
    torch.manual_seed(1)
    network = TransformNetwork(Architecture(outer=8, trunk=8, blocks=1))
    torch.nn.init.normal_(network.painter.weight, std=0.02)
    model = folder / "night.safetensors"
    zero = dict.fromkeys(("total_loss", "content_loss", "style_loss", "tv_loss", "worth", "seconds"), 0.0)
    write_model(
        model,
        network,
        Trained.model_validate(
            {
                "architecture": described(network),
                "style": "night.jpg",
                "style_sha256": "s",
                "settings": Settings(),
                "contents": 1,
                "held_out": 1,
                "steps": 1,
                **zero,
            }
        ),
    )
    given = Settings.model_validate({"engine": "feedforward", "precision": "float32", **settings})
    return Job(1, "id", "key", Path("c"), (), None, Path("w"), "c", "s", given, "c", None, "w", model, sha256_of(model))


def test_strips_are_taken_where_memory_is_short_and_the_picture_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []
    forward = TransformNetwork.forward

    def watched(self: TransformNetwork, x: torch.Tensor, dtype: torch.dtype, strip: int | None = None) -> torch.Tensor:
        asked.append(strip)
        return forward(self, x, dtype, strip)

    monkeypatch.setattr(TransformNetwork, "forward", watched)
    monkeypatch.setattr(feedforward, "STRIP", 24)
    contents = torch.rand(2, 3, 80, 72)
    whole = paint(job(tmp_path, memory_limit=1), contents, SLOT, frugal=False)
    short = paint(job(tmp_path, memory_limit=0.0001), contents, SLOT, frugal=False)
    frugal = paint(job(tmp_path, memory_limit=1), contents, SLOT, frugal=True)
    assert asked == [None, 24, 24, 24, 24]
    torch.testing.assert_close(short, whole, rtol=0, atol=2e-5)
    assert torch.equal(short, frugal)
    assert (whole - contents).abs().mean() > 0.01


def test_a_network_that_changed_costs_the_row(tmp_path: Path) -> None:
    asked = job(tmp_path)
    assert isinstance(asked.model, Path)
    asked.model.write_bytes(asked.model.read_bytes() + b" ")
    with pytest.raises(BadInput, match="was changed while the run was going on"):
        paint(asked, torch.rand(1, 3, 32, 32), SLOT, frugal=False)
