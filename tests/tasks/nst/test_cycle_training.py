"""Cycle-consistent training on the real networks, small: it learns, and each part does what it says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
import torch
from torch import Tensor, nn

from stylebatch.tasks.nst.adversarial import CycleWeights, Terms, apart, critic_loss, takes_for
from stylebatch.tasks.nst.collection_network import CollectionArchitecture, CollectionNetwork
from stylebatch.tasks.nst.cycle_training import RATE, CycleTrainer, Each, go_round
from stylebatch.tasks.nst.earlier_results import MOST, EarlierResults
from stylebatch.tasks.nst.ground import statistics
from stylebatch.tasks.nst.patch_critic import PatchCritic

SMALL = CollectionArchitecture(outer=4, middle=8, trunk=8, blocks=1)


# Noise, and blots of one colour each in a warm light.
PHOTOGRAPH = torch.rand((1, 3, 64, 64), generator=torch.Generator().manual_seed(1))
BLOTS = torch.rand((1, 3, 8, 8), generator=torch.Generator().manual_seed(2))
PAINTING = nn.functional.interpolate(BLOTS * torch.tensor([0.9, 0.6, 0.3]).view(1, 3, 1, 1), scale_factor=8)


def untrained(wanted: Tensor = PAINTING) -> CollectionNetwork:
    """One that is to make what has this picture's statistics."""
    made = CollectionNetwork(SMALL)
    made.statistics.copy_(statistics(wanted))
    return made


def network(wanted: Tensor = PAINTING) -> CollectionNetwork:
    """One that paints something from the beginning on, so that a way round does not lead back by itself."""
    made = untrained(wanted)
    nn.init.normal_(made.painter.weight, std=0.3)
    return made


def new(steps: int = 20) -> CycleTrainer:
    torch.manual_seed(3)
    return CycleTrainer(network(), network(PHOTOGRAPH), lambda: PatchCritic(4), steps, CycleWeights())


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    return PHOTOGRAPH


@pytest.fixture(scope="module")
def painting() -> Tensor:
    return PAINTING


def train(trainer: CycleTrainer, photograph: Tensor, painting: Tensor, until: int, each: Each = map) -> list[float]:
    cycles = []
    while trainer.step < until:
        terms = trainer.take(photograph, painting, Random(trainer.step), each)
        cycles.append(sum(one.cycle.item() for one in terms))
    return cycles


def test_a_few_steps_lower_the_cycle_loss(photograph: Tensor, painting: Tensor) -> None:
    cycles = train(new(), photograph, painting, 10)
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[-1] < 0.97 * cycles[0]


def test_going_on_from_a_state_gives_the_weights_of_an_uninterrupted_training(
    photograph: Tensor, painting: Tensor
) -> None:
    whole, first, second = new(), new(), new()
    train(whole, photograph, painting, 4)
    train(first, photograph, painting, 2)
    second.resume(first.state(), 2)
    with ThreadPoolExecutor(2) as threads:
        train(second, photograph, painting, 4, threads.map)
    states = whole.state(), second.state()
    assert states[0].keys() == states[1].keys()
    assert sum(name.startswith("earlier.") for name in states[0]) == 2 * 4
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


def test_a_loss_that_is_no_number_changes_nothing(photograph: Tensor, painting: Tensor) -> None:
    for broken in ("painter.gains", "of_paintings.convolutions.0.weight"):
        trainer = new()
        before = trainer.state()
        before[broken].fill_(torch.inf)
        trainer.resume(before, 0)
        with pytest.raises(ValueError, match="no finite number"):
            trainer.take(photograph, painting, Random(0))
        assert all(torch.equal(tensor, before[name]) for name, tensor in trainer.state().items())


def test_the_rate_stays_and_then_falls_to_nothing() -> None:
    trainer, seen = new(steps=8), []
    for step in range(8):
        trainer.step = step
        seen.append(RATE * trainer._pace())
    assert seen == pytest.approx([RATE * share for share in (1, 1, 1, 1, 1, 0.75, 0.5, 0.25)])


def test_the_terms_are_those_of_the_papers(photograph: Tensor) -> None:
    trainer = new()
    with torch.no_grad():
        terms, made = go_round(trainer.ways[0], photograph)
        assert torch.equal(made, trainer.painter(photograph))
        critic = trainer.ways[0].critic(made)
        assert critic.shape == (1, 1, 6, 6)
        assert terms.adversarial == pytest.approx(((critic - 1) ** 2).mean().item(), rel=1e-5)
        back, same = trainer.photographer(made), trainer.photographer(photograph)
        # Published pictures are in [-1, 1].
        assert terms.cycle == pytest.approx(((2 * back - 1) - (2 * photograph - 1)).abs().mean().item(), rel=1e-4)
        assert terms.identity == pytest.approx(2 * (same - photograph).abs().mean().item(), rel=1e-4)


def test_critics_are_judged_by_least_squares() -> None:
    real, made = torch.tensor([[[[0.5, 1.0]]]]), torch.tensor([[[[0.0, 1.0]]]])
    assert takes_for(real, 1).item() == pytest.approx(0.125)
    assert critic_loss(real, made).item() == pytest.approx(0.5 * 0.125 + 0.5 * 0.5)
    assert apart(real, made).item() == pytest.approx(2 * 0.25)
    terms = Terms(torch.tensor(1.0), torch.tensor(0.1), torch.tensor(0.2))
    assert CycleWeights().total(terms).item() == pytest.approx(1 + 10 * 0.1 + 5 * 0.2)


def test_a_critic_sees_patches_of_70_pixels() -> None:
    torch.manual_seed(0)
    critic = PatchCritic(2)
    picture = torch.rand(1, 3, 128, 128, requires_grad=True)
    # Instance normalization sees the whole picture, and is the same for all patches.
    with torch.no_grad():
        for convolution in critic.convolutions:
            convolution.bias.zero_()  # type: ignore[operator]
    x = 2 * picture - 1
    for convolution in critic.convolutions:
        x = convolution(x)
    assert x.shape[-2:] == (14, 14)
    (gradient,) = torch.autograd.grad(x[0, 0, 7, 7], picture)
    rows = gradient.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == 70


def test_the_buffer_gives_the_new_one_as_often_as_an_earlier_one() -> None:
    buffer, chance = EarlierResults(), Random(5)
    pictures = [torch.full((1, 3, 2, 2), n / 255) for n in range(150)]
    first = [buffer.exchange(one, chance) for one in pictures[:MOST]]
    assert all(torch.equal(given, one) for given, one in zip(first, pictures, strict=False))
    later = [buffer.exchange(one, chance) for one in pictures[MOST:]]
    kept = [torch.equal(given, one) for given, one in zip(later, pictures[MOST:], strict=True)]
    assert 30 < sum(kept) < 70
    old = [round(255 * given.max().item()) for given, same in zip(later, kept, strict=True) if not same]
    assert len(set(old)) == len(old), "what was given leaves its place"
    assert len(buffer.state()) == MOST


def look(picture: Tensor) -> tuple[Tensor, Tensor]:
    """The mean colour, and the covariance of colours."""
    pixels = picture[0].flatten(1)
    return pixels.mean(1), torch.cov(pixels, correction=0)


@torch.no_grad()
def test_a_new_network_gives_the_photograph_in_the_colours_of_its_collection() -> None:
    photograph = nn.functional.interpolate(PHOTOGRAPH[..., :12, :16] * 0.6, scale_factor=6, mode="bilinear")
    wanted, own, found = (look(one) for one in (PAINTING, photograph, untrained()(photograph)))
    torch.testing.assert_close(found[0], wanted[0], rtol=0, atol=0.02)
    assert (own[0] - wanted[0]).abs().max() > 0.15
    torch.testing.assert_close(found[1].diag(), wanted[1].diag(), rtol=0.4, atol=0)
    assert (found[1] - wanted[1]).norm() < 0.4 * (own[1] - wanted[1]).norm()


@torch.no_grad()
def test_strength_is_the_way_from_the_photograph(photograph: Tensor) -> None:
    torch.manual_seed(4)
    painter = network()
    none, half, whole = (painter(photograph, strength=torch.tensor([share])) for share in (0.0, 0.5, 1.0))
    torch.testing.assert_close(none, photograph, rtol=0, atol=4 / 255)
    assert torch.equal(whole, painter(photograph))
    means = [one.mean((2, 3)) for one in (none, half, whole)]
    torch.testing.assert_close(means[1], (means[0] + means[2]) / 2, rtol=0, atol=0.02)
    assert (means[2] - means[0]).abs().max() > 0.1


@torch.no_grad()
@pytest.mark.parametrize("size", [(64, 64), (61, 83)])
def test_strips_give_the_same_picture(size: tuple[int, int]) -> None:
    torch.manual_seed(4)
    painter, picture = network(), torch.rand(1, 3, *size)
    whole = painter(picture)
    assert whole.shape == picture.shape
    torch.testing.assert_close(painter(picture, strip=16), whole, rtol=0, atol=2e-5)
