"""Painting in one pass: styles, blends, regions and strength, and what happens where memory is short."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.models import Trained, described, write_model
from stylebatch.tasks.nst.any_style import AnyStyleNetwork, Architecture
from stylebatch.tasks.nst.color import luminance
from stylebatch.tasks.nst.condition import LOOKED_AT, look_at
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.plan.jobs import Job, Style
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.stylizing import feedforward
from stylebatch.tasks.stylizing.feedforward import paint
from stylebatch.tasks.stylizing.judging import is_judged
from stylebatch.tasks.stylizing.objective import to_tensor

SLOT = Slot("cpu")


@pytest.fixture(scope="module")
def network() -> AnyStyleNetwork:
    """One that is not at its start, where it would change nothing but colours."""
    torch.manual_seed(1)
    network = AnyStyleNetwork(Architecture(outer=8, middle=8, trunk=8, blocks=1, width=8))
    torch.nn.init.normal_(network.painter.weight, std=0.2)
    torch.nn.init.normal_(network.modulator.weight, std=0.2)
    return network.half().float().requires_grad_(False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, network: AnyStyleNetwork) -> Path:
    """The network's file, two styles, and two masks: the left half, and the right half but for its lower part."""
    folder = tmp_path_factory.mktemp("painting")
    said = {"architecture": described(network), "style": "", "style_sha256": "", "settings": Settings()}
    numbers = ("contents", "styles", "held_out", "steps", "samples", "seconds", "structure", "style_distance")
    trained = Trained.model_validate({**said, **dict.fromkeys(numbers, 1), "smallest": 64, "largest": 96})
    write_model(folder / "any.safetensors", network, trained)
    generator = np.random.default_rng(4)
    for name, tint in (("warm", (255, 120, 40)), ("cold", (20, 90, 230))):
        noise = generator.random((48, 64, 1)) * np.array(tint)
        Image.fromarray(noise.astype(np.uint8)).resize((96, 72)).save(folder / f"{name}.png")
    mask = np.zeros((72, 80), np.uint8)
    mask[:, :40] = 255
    Image.fromarray(mask).save(folder / "left.png")
    mask = 255 - mask
    mask[48:] = 0
    Image.fromarray(mask).save(folder / "right.png")
    return folder


def style(folder: Path, name: str, weight: float = 1.0, mask: str | None = None) -> Style:
    path, masked = folder / f"{name}.png", folder / f"{mask}.png" if mask else None
    return Style(path, sha256_of(path), weight, masked, sha256_of(masked) if masked else None)


def job(folder: Path, *styles: Style, **settings: object) -> Job:
    model, of = folder / "any.safetensors", sha256_of(folder / "any.safetensors")
    given = Settings.model_validate({"engine": "feedforward", "precision": "float32", "size": 80, **settings})
    styles = styles or (style(folder, "warm"),)
    return Job(1, "i", "k", Path("c"), styles, None, Path("w"), "c", "s", given, "c", None, "w", model, of)


def contents(count: int = 1) -> Tensor:
    return torch.rand((count, 3, 72, 80), generator=torch.Generator().manual_seed(9))


def condition(folder: Path, name: str) -> Tensor:
    """The style's condition by the mathematics alone: its longer side is 80 px."""
    picture = load_picture(folder / f"{name}.png").resize((80, 60), Image.Resampling.BILINEAR)
    return look_at(Encoder(LOOKED_AT), to_tensor(picture, "cpu"))


@torch.no_grad()
def test_a_job_is_painted_as_its_style_asks(folder: Path, network: AnyStyleNetwork) -> None:
    painted = paint([job(folder)], contents(), SLOT, frugal=False)
    torch.testing.assert_close(painted, network(contents(), condition(folder, "warm")))


@torch.no_grad()
def test_jobs_of_different_styles_go_together(folder: Path, network: AnyStyleNetwork) -> None:
    jobs = [job(folder), job(folder, style(folder, "cold"))]
    together = paint(jobs, contents(2), SLOT, frugal=False)
    for n, one in enumerate(jobs):
        alone = paint([one], contents(2)[n : n + 1], SLOT, frugal=False)
        torch.testing.assert_close(together[n : n + 1], alone, rtol=0, atol=1e-5)
    assert (together[0] - together[1]).abs().mean() > 0.05


@torch.no_grad()
def test_a_blend_is_painted_by_the_mean_of_the_conditions(folder: Path, network: AnyStyleNetwork) -> None:
    blended = job(folder, style(folder, "warm", 0.75), style(folder, "cold", 0.25))
    expected = network(contents(), 0.75 * condition(folder, "warm") + 0.25 * condition(folder, "cold"))
    torch.testing.assert_close(paint([blended], contents(), SLOT, frugal=False), expected)


@torch.no_grad()
def test_each_region_gets_its_style_and_what_has_none_stays_the_content(folder: Path) -> None:
    masked = job(folder, style(folder, "warm", mask="left"), style(folder, "cold", mask="right"))
    painted = paint([masked], contents(), SLOT, frugal=False)
    alone = [job(folder, style(folder, name)) for name in ("warm", "cold")]
    warm, cold = (paint([one], contents(), SLOT, frugal=False) for one in alone)
    torch.testing.assert_close(painted[..., :40], warm[..., :40])
    torch.testing.assert_close(painted[..., :48, 40:], cold[..., :48, 40:])
    torch.testing.assert_close(painted[..., 48:, 40:], contents()[..., 48:, 40:])


@torch.no_grad()
def test_strength_is_the_way_from_the_contents_own_condition(folder: Path, network: AnyStyleNetwork) -> None:
    own = look_at(Encoder(LOOKED_AT), contents())
    for strength in (0.0, 0.3):
        painted = paint([job(folder, strength=strength)], contents(), SLOT, frugal=False)
        asked = torch.lerp(own, condition(folder, "warm"), strength)
        expected = network(contents(), asked, strength=torch.tensor([strength]))
        torch.testing.assert_close(painted, expected, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("frugal", [False, True])
def test_a_strength_of_0_gives_the_photograph_back(folder: Path, frugal: bool) -> None:
    painted = paint([job(folder, strength=0.0)], contents(), SLOT, frugal)
    assert (painted - contents()).abs().mean() < 1 / 255
    torch.testing.assert_close(painted, contents(), rtol=0, atol=4 / 255)


@torch.no_grad()
def test_colours_of_the_content_are_kept_where_that_is_asked_for(folder: Path) -> None:
    plain = paint([job(folder)], contents(), SLOT, frugal=False)
    matched = paint([job(folder, preserve_color="match")], contents(), SLOT, frugal=False)
    grey = paint([job(folder, preserve_color="luminance")], contents(), SLOT, frugal=False)
    far = [(painted.mean((2, 3)) - contents().mean((2, 3))).abs().max() for painted in (plain, matched)]
    assert far[1] < far[0] / 2
    assert (grey - luminance(grey)).abs().mean() < (plain - luminance(plain)).abs().mean() / 2


@pytest.mark.parametrize(("share", "judged"), [(1.0, 40), (0.0, 0), (0.25, 10)])
def test_of_painted_pictures_the_share_that_is_asked_for_is_judged(folder: Path, share: float, judged: int) -> None:
    painted = replace(job(folder, judge=share), key="")
    jobs = [replace(painted, key=f"{n * 2**32 // 40:08x}" + 56 * "0") for n in range(40)]
    assert sum(is_judged(one) for one in jobs) == judged


def test_what_is_optimized_is_judged_in_any_case(folder: Path) -> None:
    assert is_judged(replace(job(folder, judge=0, refine=1), key=64 * "f"))
    assert is_judged(replace(job(folder, judge=0, engine="optimize"), key=64 * "f"))


def test_strips_are_taken_where_memory_is_short_and_the_picture_is_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []
    forward = AnyStyleNetwork.forward

    def watched(
        self: AnyStyleNetwork,
        x: Tensor,
        condition: Tensor,
        dtype: torch.dtype,
        strip: int | None = None,
        strength: Tensor | None = None,
    ) -> Tensor:
        asked.append(strip)
        return forward(self, x, condition, dtype, strip, strength)

    monkeypatch.setattr(AnyStyleNetwork, "forward", watched)
    monkeypatch.setattr(feedforward, "STRIP", 24)
    both = [job(folder, memory_limit=1)] * 2
    whole = paint(both, contents(2), SLOT, frugal=False)
    short = paint([job(folder, memory_limit=0.0001)] * 2, contents(2), SLOT, frugal=False)
    frugal = paint(both, contents(2), SLOT, frugal=True)
    assert asked == [None, 24, 24, 24, 24]
    torch.testing.assert_close(short, whole, rtol=0, atol=2e-5)
    assert torch.equal(short, frugal)
    assert (whole - contents(2)).abs().mean() > 0.01


def test_a_network_that_changed_costs_the_row(folder: Path, tmp_path: Path) -> None:
    asked = job(folder)
    changed = tmp_path / "changed.safetensors"
    changed.write_bytes((folder / "any.safetensors").read_bytes() + b" ")
    with pytest.raises(BadInput, match="was changed while the run was going on"):
        paint([replace(asked, model=changed)], contents(), SLOT, frugal=False)
