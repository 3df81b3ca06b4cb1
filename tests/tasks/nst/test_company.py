"""Searches in company: each finds what it finds alone, and none suffers from what becomes of another."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from stylebatch.tasks.nst import graphs
from stylebatch.tasks.nst.adam import Adam
from stylebatch.tasks.nst.company import Ended, in_company
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.evaluation import Asked, Seen, evaluate
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.losses import Losses, Objective, Weights, content_targets, style_targets
from stylebatch.tasks.nst.optimize import Optimized, Optimizer, Search, alone, search

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
WEIGHTS = Weights(1.0, 1.0, 0.0, {"relu3_1": 1.0}, dict.fromkeys(LAYERS, 1.0))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(LAYERS)


def picture(seed: int, shape: Sequence[int] = (32, 48)) -> Tensor:
    return torch.rand((1, 3, *shape), generator=torch.Generator().manual_seed(seed))


def objective_of(encoder: Encoder, content: Tensor, weights: Weights = WEIGHTS) -> Objective:
    wanted = content_targets(encoder, content, weights.content_layers, BALANCED)
    return Objective(encoder, weights, wanted, style_targets(encoder, picture(9), weights.style_layers), BALANCED)


def searches(encoder: Encoder) -> list[tuple[str, Search[Optimized]]]:
    """Five that differ in all that company must not mix up."""

    def begin(
        seed: int, optimizer: Optimizer, steps: int, weights: Weights = WEIGHTS, small: bool = False
    ) -> Search[Optimized]:
        content = picture(seed, (24, 32) if small else (32, 48))
        return search(objective_of(encoder, content, weights), content, optimizer, steps)

    other = Weights(0.5, 2.0, 0.1, {"relu2_1": 1.0}, {"relu1_1": 1.0, "relu3_1": 3.0})
    return [
        ("usual", begin(1, LBFGS(50), 6)),
        ("short", begin(2, LBFGS(2), 2)),
        ("adam", begin(3, Adam(0.02), 6)),
        ("weights", begin(4, LBFGS(50), 4, other)),
        ("small", begin(5, LBFGS(50), 5, small=True)),
    ]


def found(ended: Ended[str, Optimized]) -> Optimized:
    assert isinstance(ended.found, Optimized), ended.found
    return ended.found


@pytest.mark.parametrize("most", [1, 2, 5])
def test_each_finds_what_it_finds_alone(encoder: Encoder, most: int) -> None:
    together = {ended.name: found(ended) for ended in in_company(searches(encoder), most)}
    for name, searching in searches(encoder):
        single, other = alone(searching), together[name]
        assert other.steps == single.steps
        assert other.loss == pytest.approx(single.loss, rel=1e-3)
        assert torch.allclose(other.picture, single.picture, atol=0.01), name
        if most == 1:
            assert torch.equal(other.picture, single.picture), name


def test_gradients_are_those_of_each_by_itself(encoder: Encoder) -> None:
    asked = [next(searching) for name, searching in searches(encoder) if name != "small"]
    for one, together in zip(asked, evaluate(asked), strict=True):
        (single,) = evaluate([one])
        assert together.loss == pytest.approx(single.loss, rel=1e-6)
        assert (together.gradient - single.gradient).norm() < 1e-5 * single.gradient.norm()
        assert together.gradient.untyped_storage().nbytes() == together.gradient.nbytes, "it keeps no other alive"


def test_one_that_ends_makes_room_for_the_next(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def counted(asked: Sequence[Asked]) -> list[Seen]:
        sizes.append(len(asked))
        return evaluate(asked)

    monkeypatch.setattr(graphs, "evaluate", counted)
    contents = [picture(seed) for seed in range(4)]
    coming = [
        (str(steps), search(objective_of(encoder, content), content, LBFGS(5), steps))
        for content, steps in zip(contents, (1, 3, 2, 1), strict=True)
    ]
    assert [ended.name for ended in in_company(coming, 2)] == ["1", "3", "2", "1"]
    assert sizes == [2, 2, 2, 1], "the third comes in at the second step, the last at the fourth"


def test_an_error_is_its_own_searchs(encoder: Encoder) -> None:
    def fail(step: int, losses: Losses) -> None:
        if step == 2:
            raise OSError("the disk failed")

    def never() -> Search[Optimized]:
        raise ValueError("it could not begin")
        yield

    content, broken = picture(1), picture(2)
    coming = [
        ("never", never()),
        ("good", search(objective_of(encoder, content), content, LBFGS(5), 3)),
        ("failing", search(objective_of(encoder, broken), broken, LBFGS(5), 3, fail)),
        ("nan", search(objective_of(encoder, broken), broken * float("nan"), LBFGS(5), 3)),
        ("last", search(objective_of(encoder, content), content, LBFGS(5), 3)),
    ]
    ended = {one.name: one.found for one in in_company(coming, 4)}
    assert isinstance(ended["never"], ValueError)
    assert isinstance(ended["failing"], OSError)
    nan, good, last = (ended[name] for name in ("nan", "good", "last"))
    assert isinstance(nan, Optimized)
    assert nan.steps == 3
    assert isinstance(good, Optimized)
    assert isinstance(last, Optimized)
    single = alone(search(objective_of(encoder, content), content, LBFGS(5), 3))
    assert good.loss == pytest.approx(single.loss, rel=1e-4)
    assert last.loss == pytest.approx(single.loss, rel=1e-4)


def test_where_memory_runs_out_they_go_on_in_halves(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def short(asked: Sequence[Asked]) -> list[Seen]:
        sizes.append(len(asked))
        if len(asked) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return evaluate(asked)

    content, room = picture(1), 2
    monkeypatch.setattr(graphs, "evaluate", short)
    coming = [(n, search(objective_of(encoder, content), content, LBFGS(5), 2)) for n in range(4)]
    ended = list(in_company(coming, 4))
    assert all(isinstance(one.found, Optimized) for one in ended)
    assert sizes == [4, 2, 2, 2, 2], "what was too much once is not tried again"
    room = 0
    (lost,) = in_company([(0, search(objective_of(encoder, content), content, LBFGS(5), 2))], 1)
    assert isinstance(lost.found, torch.OutOfMemoryError)


def test_who_looks_away_leaves_nothing_going_on(encoder: Encoder) -> None:
    closed: list[int] = []

    def watched(number: int, steps: int) -> Search[Optimized]:
        content = picture(number)
        try:
            return (yield from search(objective_of(encoder, content), content, LBFGS(5), steps))
        finally:
            closed.append(number)

    going = in_company([(1, watched(1, 1)), (2, watched(2, 50))], 2)
    assert next(going).name == 1
    going.close()
    assert closed == [1, 2]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_a_gpu_each_finds_what_it_finds_on_a_processor(encoder: Encoder) -> None:
    there = Encoder(LAYERS, device="cuda:0")

    def begin(encoder: Encoder, seed: int) -> Search[Optimized]:
        content, device = picture(seed), str(encoder.mean.device)
        style = style_targets(encoder, picture(9).to(device), WEIGHTS.style_layers)
        wanted = content_targets(encoder, content.to(device), WEIGHTS.content_layers, BALANCED)
        return search(Objective(encoder, WEIGHTS, wanted, style, BALANCED), content.to(device), LBFGS(5), 4)

    for ended in in_company(((str(seed), begin(there, seed)) for seed in range(4)), 4):
        assert found(ended).loss == pytest.approx(alone(begin(encoder, int(ended.name))).loss, rel=1e-2)
