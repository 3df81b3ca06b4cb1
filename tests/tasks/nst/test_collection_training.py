"""Adversarial training on the real networks, small: it learns, and each part does what it says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
import torch
from torch import Tensor, nn

from stylebatch.tasks.nst.adversarial import critic_loss, takes_for
from stylebatch.tasks.nst.any_style import AnyStyleNetwork, Architecture
from stylebatch.tasks.nst.augmentation import EMPTY, Augmentation, draw_augmentation
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.collection_training import RATE, CollectionTrainer, Each, Way
from stylebatch.tasks.nst.condition import LOOKED_AT, look_at, moments
from stylebatch.tasks.nst.earlier_results import MOST, EarlierResults
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.feature_critic import JUDGED, SHORTEST, FeatureCritic
from stylebatch.tasks.nst.goals import CONTENT_LAYERS
from stylebatch.tasks.nst.ground import statistics
from stylebatch.tasks.nst.kept import LostOnTheWayBack, LostStructure, apart
from stylebatch.tasks.nst.structure import structure
from stylebatch.tasks.nst.transformation import TransformationArchitecture

SMALL = TransformationArchitecture(outer=4, middle=8, trunk=8, blocks=1)
SIDE = 48

# Noise, and blots of one colour each in a warm light; two of each.
PHOTOGRAPHS = torch.rand((2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(1))
BLOTS = torch.rand((2, 3, 6, 6), generator=torch.Generator().manual_seed(2))
PAINTINGS = nn.functional.interpolate(BLOTS * torch.tensor([0.9, 0.6, 0.3]).view(1, 3, 1, 1), scale_factor=8)
PHOTOGRAPH, PAINTING = PHOTOGRAPHS[:1], PAINTINGS[:1]
METHODS = pytest.mark.parametrize("method", ["one-way", pytest.param("cyclegan", marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder({*JUDGED, *LOOKED_AT})


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


@torch.no_grad()
def critic(encoder: Encoder, real: Tensor = PAINTING) -> FeatureCritic:
    seen = encoder(real, dict.fromkeys(JUDGED, moments))
    return FeatureCritic(seen, width=8)


def new(encoder: Encoder, method: str, steps: int = 20, together: int = 1) -> CollectionTrainer:
    torch.manual_seed(3)
    there, back = network(), network(PHOTOGRAPH)
    if method == "one-way":
        ways = [Way(there, critic(encoder), LostStructure(encoder))]
    else:
        ways = [
            Way(there, critic(encoder), LostOnTheWayBack(back)),
            Way(back, critic(encoder, PHOTOGRAPH), LostOnTheWayBack(there)),
        ]
    return CollectionTrainer(ways, encoder, steps, together=together)


def train(trainer: CollectionTrainer, until: int, each: Each = map) -> list[float]:
    losses = []
    while trainer.step < until:
        losses.append(trainer.take(PHOTOGRAPHS, PAINTINGS, Random(trainer.step), each))
    return losses


@METHODS
def test_a_few_steps_lower_the_loss(method: str, encoder: Encoder) -> None:
    trainer = new(encoder, method)
    way = trainer.ways[0]

    @torch.no_grad()
    def lost() -> float:
        return way.lost(PHOTOGRAPHS, way.network(PHOTOGRAPHS)).item()

    before = lost()
    losses = train(trainer, 6)
    assert lost() < 0.98 * before
    assert sum(losses[-3:]) < sum(losses[:3])


@METHODS
def test_going_on_from_a_state_gives_the_weights_of_an_uninterrupted_training(method: str, encoder: Encoder) -> None:
    whole, first, second = (new(encoder, method) for _ in range(3))
    train(whole, 3)
    train(first, 1)
    second.resume(first.state(), 1)
    with ThreadPoolExecutor(2) as threads:
        train(second, 3, threads.map)
    states = whole.state(), second.state()
    assert states[0].keys() == states[1].keys()
    assert sum(name.startswith("earlier.") for name in states[0]) == len(whole.ways) * 2 * 3
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


@METHODS
def test_samples_that_go_through_together_are_the_same_step(method: str, encoder: Encoder) -> None:
    alone, together = (new(encoder, method, together=count) for count in (1, 2))
    assert train(alone, 1) == pytest.approx(train(together, 1), rel=1e-4)
    one, other = (trainer.state() for trainer in (alone, together))
    for name in one:
        if name.endswith("exp_avg"):  # which is the gradient
            torch.testing.assert_close(one[name], other[name], rtol=0.05, atol=0.002 * one[name].abs().max().item())


def test_a_loss_that_is_no_number_changes_nothing(encoder: Encoder) -> None:
    for broken in ("network.0.gains", "critic.0.heads.relu2_1.first.weight"):
        trainer = new(encoder, "one-way")
        before = trainer.state()
        before[broken].fill_(torch.inf)
        trainer.resume(before, 0)
        with pytest.raises(ValueError, match="no finite number"):
            trainer.take(PHOTOGRAPHS, PAINTINGS, Random(0))
        assert all(torch.equal(tensor, before[name]) for name, tensor in trainer.state().items())


def test_the_rate_stays_and_then_falls_to_nothing(encoder: Encoder) -> None:
    trainer, seen = new(encoder, "one-way", steps=8), []
    for step in range(8):
        trainer.step = step
        seen.append(RATE * trainer._pace())
    assert seen == pytest.approx([RATE * share for share in (1, 1, 1, 1, 1, 0.75, 0.5, 0.25)])


@torch.no_grad()
def test_what_is_lost_on_the_way_back_is_that_of_the_paper() -> None:
    torch.manual_seed(3)
    there, back = network(), network(PHOTOGRAPH)
    made = there(PHOTOGRAPH)
    returned, same = back(made), back(PHOTOGRAPH)
    # Published pictures are in [-1, 1].
    cycle = ((2 * returned - 1) - (2 * PHOTOGRAPH - 1)).abs().mean().item()
    identity = 2 * (same - PHOTOGRAPH).abs().mean().item()
    assert LostOnTheWayBack(back, 0.5)(PHOTOGRAPH, made).item() == pytest.approx(5 * cycle + 2.5 * identity, rel=1e-4)
    assert apart(torch.tensor([0.5, 1.0]), torch.tensor([0.0, 1.0])).item() == pytest.approx(2 * 0.25)


@torch.no_grad()
def test_lost_structure_is_the_share_of_what_the_report_calls_structure(encoder: Encoder) -> None:
    lost = LostStructure(encoder, 2.0)
    assert lost(PAINTINGS, PAINTINGS).item() == pytest.approx(0, abs=1e-4)
    made = PAINTING.flip(3)
    one, other = (encoder(picture, dict.fromkeys(CONTENT_LAYERS, Tensor.detach)) for picture in (made, PAINTING))
    kept = sum(structure(one[layer], other[layer]) for layer in CONTENT_LAYERS) / len(CONTENT_LAYERS)
    assert lost(PAINTING, made).item() == pytest.approx(2 * (1 - kept), rel=0.05)


def test_critics_are_judged_by_least_squares() -> None:
    real, made = [torch.tensor([[[[0.5, 1.0]]]])], [torch.tensor([[[[0.0, 1.0]]]])]
    assert takes_for(real, 1).item() == pytest.approx(0.125)
    assert critic_loss(real, made).item() == pytest.approx(0.5 * 0.125 + 0.5 * 0.5)
    assert takes_for([*real, torch.tensor([[[[1.0]]]])], 1).item() == pytest.approx(0.125 / 2), "heads count alike"


def test_a_critic_sees_pictures_by_their_features_and_gives_them_a_gradient(encoder: Encoder) -> None:
    torch.manual_seed(0)
    judge, pictures = critic(encoder), PHOTOGRAPHS.clone().requires_grad_()
    taken = judge(pictures, encoder)
    assert [one.shape for one in taken] == [(2, 1, SIDE // 2**n, SIDE // 2**n) for n in (1, 2, 3, 4)]
    (gradient,) = torch.autograd.grad(takes_for(taken, 1), pictures)
    assert gradient.abs().sum((1, 2, 3)).gt(0).all()
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    with torch.no_grad():
        smallest = judge(PHOTOGRAPH[..., :SHORTEST, :SHORTEST], encoder)
    assert all(one.isfinite().all() for one in smallest)


def test_a_critic_learns_to_tell_two_kinds(encoder: Encoder) -> None:
    torch.manual_seed(0)
    judge = critic(encoder)
    optimizer, losses = torch.optim.Adam(judge.parameters(), lr=2e-3), []
    for _ in range(8):
        loss = critic_loss(judge(PAINTINGS, encoder), judge(PHOTOGRAPHS, encoder))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]


def test_augmentations_are_the_same_for_the_same_seed_and_all_different() -> None:
    first, second = ([draw_augmentation(chance, SIDE, SIDE) for _ in range(200)] for chance in (Random(7), Random(7)))
    assert first == second
    assert len({one.brightness for one in first}) == 200
    assert 60 < sum(one.hole is None for one in first) < 140
    assert {one.right for one in first} == set(range(-6, 7)) == {one.down for one in first}
    assert torch.equal(first[0](PHOTOGRAPH), second[0](PHOTOGRAPH))


def test_an_augmentation_changes_what_it_says() -> None:
    same = Augmentation(0.0, 1.0, 1.0, 0, 0, None)
    torch.testing.assert_close(same(PHOTOGRAPH), PHOTOGRAPH)
    brighter = Augmentation(0.2, 1.0, 1.0, 0, 0, None)(PHOTOGRAPH)
    torch.testing.assert_close(brighter, PHOTOGRAPH + 0.2)
    grey = Augmentation(0.0, 0.0, 1.0, 0, 0, None)(PHOTOGRAPH)
    torch.testing.assert_close(grey, PHOTOGRAPH.mean(1, keepdim=True).expand(1, 3, -1, -1))
    even = Augmentation(0.0, 1.0, 0.0, 0, 0, None)(PHOTOGRAPH)
    torch.testing.assert_close(even, PHOTOGRAPH.mean().expand_as(even))
    moved = Augmentation(0.0, 1.0, 1.0, 3, -2, None)(PHOTOGRAPH)
    torch.testing.assert_close(moved[..., :-2, 3:], PHOTOGRAPH[..., 2:, :-3])
    assert moved[..., :3].eq(EMPTY).all()
    assert moved[..., -2:, :].eq(EMPTY).all()
    cut = Augmentation(0.0, 1.0, 1.0, 0, 0, (-4, 40, 20, 64))(PHOTOGRAPH)
    assert cut[..., :20, 40:].eq(EMPTY).all()
    torch.testing.assert_close(cut[..., 20:, :], PHOTOGRAPH[..., 20:, :])


def test_the_gradient_goes_through_an_augmentation_to_what_is_still_seen() -> None:
    picture = PHOTOGRAPH.clone().double().requires_grad_()
    change = Augmentation(0.1, 0.7, 1.3, 4, 0, (0, 0, 24, 24))
    assert torch.autograd.gradcheck(change, (picture[..., :12, :12],))
    (gradient,) = torch.autograd.grad(change(picture)[..., 24:, 4:].square().sum(), picture)
    assert gradient[..., 24:, :-4].abs().gt(0).all()


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
def test_a_new_network_paints_as_the_one_for_any_style_that_is_told_the_same(encoder: Encoder) -> None:
    torch.manual_seed(6)
    start = AnyStyleNetwork(Architecture(outer=8, middle=8, trunk=16, blocks=1, width=16))
    nn.init.normal_(start.painter.weight, std=0.3)
    condition = torch.cat([look_at(encoder, one) for one in torch.split(PAINTINGS, 1)]).mean(0, keepdim=True)
    told = CollectionNetwork.told(start, condition)
    torch.testing.assert_close(told(PHOTOGRAPH), start(PHOTOGRAPH, condition))
    assert (told(PHOTOGRAPH) - untrained()(PHOTOGRAPH)).abs().mean() > 0.01
    told.gains.add_(1)
    assert told.gains.requires_grad
    torch.testing.assert_close(CollectionNetwork.told(start, condition)(PHOTOGRAPH), start(PHOTOGRAPH, condition))


@torch.no_grad()
def test_without_strokes_a_network_gives_the_photograph_in_the_colours_of_its_collection() -> None:
    photograph = nn.functional.interpolate(PHOTOGRAPH[..., :12, :16] * 0.6, scale_factor=6, mode="bilinear")
    wanted, own, found = (look(one) for one in (PAINTING, photograph, untrained()(photograph)))
    torch.testing.assert_close(found[0], wanted[0], rtol=0, atol=0.02)
    assert (own[0] - wanted[0]).abs().max() > 0.15
    torch.testing.assert_close(found[1].diag(), wanted[1].diag(), rtol=0.4, atol=0)
    assert (found[1] - wanted[1]).norm() < 0.4 * (own[1] - wanted[1]).norm()


@torch.no_grad()
def test_strength_is_the_way_from_the_photograph() -> None:
    torch.manual_seed(4)
    painter = network()
    none, half, whole = (painter(PHOTOGRAPH, strength=torch.tensor([share])) for share in (0.0, 0.5, 1.0))
    torch.testing.assert_close(none, PHOTOGRAPH, rtol=0, atol=4 / 255)
    assert torch.equal(whole, painter(PHOTOGRAPH))
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
