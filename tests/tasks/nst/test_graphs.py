"""Evaluations that are recorded: when, until when, and that what is found is the same."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from typing import ClassVar, TypeVar

import pytest
import torch
from torch import Tensor

from stylebatch.tasks.nst import graphs
from stylebatch.tasks.nst.color import grey
from stylebatch.tasks.nst.company import in_company
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.evaluation import Asked, Evaluation, Seen, evaluate
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.graphs import TIMES, Evaluator, Recording
from stylebatch.tasks.nst.image import FourierImage
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.losses import Losses, Objective, Smaller, Weights, content_targets, same, style_targets
from stylebatch.tasks.nst.optimize import Optimized, Search, alone, search

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
WEIGHTS = Weights(1.0, 1.0, 0.0, {"relu3_1": 1.0}, dict.fromkeys(LAYERS, 1.0))
OTHER = Weights(0.5, 2.0, 0.1, {"relu2_1": 1.0}, {"relu1_1": 1.0, "relu3_1": 3.0})
SHAPE = (32, 48)
View = Callable[[Tensor], Tensor]
Test = TypeVar("Test", bound=Callable[..., None])


def on_a_gpu(test: Test) -> Test:
    skipped = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
    marked: Test = pytest.mark.cuda(skipped(test))
    return marked


@cache
def encoder_on(device: str) -> Encoder:
    return Encoder(LAYERS, device=device)


def picture(seed: int, shape: tuple[int, int] = SHAPE) -> Tensor:
    return torch.rand((1, 3, *shape), generator=torch.Generator().manual_seed(seed))


def objective_of(
    seed: int,
    device: str = "cpu",
    shape: tuple[int, int] = SHAPE,
    weights: Weights = WEIGHTS,
    view: View = same,
    recomputed: int = 0,
    smaller: tuple[Smaller, ...] = (),
) -> Objective:
    encoder = encoder_on(device)
    content = content_targets(encoder, picture(seed, shape).to(device), weights.content_layers, BALANCED)
    style = style_targets(encoder, picture(100 + seed).to(device), weights.style_layers)
    return Objective(encoder, weights, content, style, BALANCED, view, recomputed=recomputed, smaller=smaller)


def asked_of(seed: int, objective: Objective | None = None) -> Asked:
    image = FourierImage(picture(seed))
    return Asked(objective or objective_of(seed), image, image.coefficients.flatten())


class Kept:
    """The place of a recording on a processor; ``open`` are those that have not been closed."""

    made = 0
    open: ClassVar[list[Kept]] = []
    error: Exception | None = None

    def __init__(self, evaluation: Evaluation, points: Tensor) -> None:
        Kept.made += 1
        if Kept.error:
            raise Kept.error
        self._evaluation = evaluation
        self.replayed = 0
        Kept.open.append(self)

    def evaluate(self, points: Tensor) -> list[Seen]:
        self.replayed += 1
        return self._evaluation.tell(self._evaluation(points))

    def close(self) -> None:
        Kept.open.remove(self)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> type[Kept]:
    """As on a GPU, as far as that can be told on a processor."""
    monkeypatch.setattr(graphs, "Recording", Kept)
    monkeypatch.setattr(graphs, "_pays", lambda asked: True)
    for name, value in (("made", 0), ("open", []), ("error", None)):
        monkeypatch.setattr(Kept, name, value)
    return Kept


def test_what_is_asked_for_again_and_again_is_recorded(kept: type[Kept]) -> None:
    one, other = asked_of(1), asked_of(2)
    (expected,) = evaluate([one])
    with closing(Evaluator()) as evaluator:
        for number in range(1, TIMES + 3):
            (seen,) = evaluator.evaluate([one])
            assert len(kept.open) == (number >= TIMES)
            assert seen.loss == expected.loss
            assert torch.equal(seen.gradient, expected.gradient)
        assert kept.open[0].replayed == 3
        evaluator.evaluate([one, other])
        assert not kept.open, "others have the room"
        for _ in range(TIMES):
            evaluator.evaluate([one, other])
        assert len(kept.open) == 1
    assert not kept.open
    assert kept.made == 2


def test_who_changes_all_the_time_is_never_recorded(kept: type[Kept]) -> None:
    objective = objective_of(1)
    with closing(Evaluator()) as evaluator:
        for number in range(3 * TIMES):
            evaluator.evaluate([asked_of(number, objective)])
    assert not kept.made


def test_it_goes_on_without_a_recording_that_fails(kept: type[Kept]) -> None:
    kept.error = torch.OutOfMemoryError("CUDA out of memory")
    one, other = asked_of(1), asked_of(2)
    with closing(Evaluator()) as evaluator:
        for asked in [one] * (TIMES + 2) + [other] * (TIMES + 2):
            (seen,) = evaluator.evaluate([asked])
            assert seen.loss == evaluate([asked])[0].loss
    assert kept.made == 1, "it is not tried again"


def test_an_error_of_the_evaluation_is_told(kept: type[Kept], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Evaluation, points: Tensor) -> None:
        raise RuntimeError("an illegal instruction")

    one = asked_of(1)
    with closing(Evaluator()) as evaluator:
        for _ in range(TIMES - 1):
            evaluator.evaluate([one])
        kept.error = RuntimeError("an illegal instruction")
        monkeypatch.setattr(Evaluation, "__call__", broken)
        with pytest.raises(RuntimeError, match="an illegal instruction"):
            evaluator.evaluate([one])


def test_on_a_processor_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "Recording", Kept)
    monkeypatch.setattr(Kept, "made", 0)
    found, _ = at_two_sizes("cpu", TIMES + 1)
    assert found.steps == TIMES + 1
    assert not Kept.made


@pytest.mark.slow
def test_a_search_that_goes_on_at_another_size_is_recorded_twice(kept: type[Kept]) -> None:
    expected = at_two_sizes("cpu", TIMES + 1)
    assert kept.made == 2
    assert not kept.open
    kept.error = RuntimeError("it cannot be recorded")
    found = at_two_sizes("cpu", TIMES + 1)
    assert found[1] == expected[1]
    assert torch.equal(found[0].picture, expected[0].picture)


def at_two_sizes(device: str, steps: int) -> tuple[Optimized, list[float]]:
    """A picture, first small, then larger with an eye on the small one; and all its losses."""
    curve: list[float] = []

    def on_step(step: int, losses: Losses) -> None:
        curve.append(losses.total.item())

    def searching() -> Search[Optimized]:
        small = objective_of(1, device, (16, 24))
        yield from search(small, picture(1, (16, 24)).to(device), LBFGS(5), steps, on_step)
        large = objective_of(1, device, smaller=(Smaller((16, 24), small),))
        return (yield from search(large, picture(1).to(device), LBFGS(5), steps, on_step))

    return alone(searching()), curve


def curve_alone(seed: int, weights: Weights = WEIGHTS, view: View = same, recomputed: int = 0) -> list[float]:
    """All losses of a search on a GPU."""
    curve: list[float] = []
    objective = objective_of(seed, "cuda:0", weights=weights, view=view, recomputed=recomputed)
    alone(
        search(
            objective, picture(seed).to("cuda:0"), LBFGS(5), 20, lambda step, losses: curve.append(float(losses.total))
        )
    )
    return curve


def curves_in_company(weights: Iterable[Weights]) -> list[list[float]]:
    """All losses of searches that end one after another."""
    curves: list[list[float]] = []

    def begin(seed: int, weights: Weights) -> Search[Optimized]:
        curve: list[float] = []
        curves.append(curve)
        objective = objective_of(seed, "cuda:0", weights=weights)
        steps = 12 + 4 * seed
        return search(
            objective,
            picture(seed).to("cuda:0"),
            LBFGS(5),
            steps,
            lambda step, losses: curve.append(float(losses.total)),
        )

    ended = list(in_company([(seed, begin(seed, own)) for seed, own in enumerate(weights)], 3))
    assert all(isinstance(one.found, Optimized) and one.found.steps == 12 + 4 * one.name for one in ended)
    return curves


class Counted(Recording):
    """Counts those that were recorded to the end."""

    made = 0

    def __init__(self, evaluation: Evaluation, points: Tensor) -> None:
        super().__init__(evaluation, points)
        Counted.made += 1


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    """On a GPU, which does the same each time."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(graphs, "Recording", Counted)
    monkeypatch.setattr(Counted, "made", 0)
    return Counted


def compare(found: Iterable[list[float]], expected: Iterable[list[float]]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(torch.tensor(one), torch.tensor(other), rtol=1e-4, atol=0)


@on_a_gpu
def test_alone_it_finds_the_same(counted: type[Counted], monkeypatch: pytest.MonkeyPatch) -> None:
    views: list[View] = [same, grey]
    found = [curve_alone(1, view=view) for view in views]
    assert counted.made == 2
    other = at_two_sizes("cuda:0", 12)[1]
    assert counted.made == 4
    curve_alone(1, recomputed=1)
    assert counted.made == 4, "memory is short there"
    with monkeypatch.context() as patch:
        patch.setattr(graphs, "PIXELS", SHAPE[0] * SHAPE[1] - 1)
        curve_alone(1)
    assert counted.made == 4, "and there is nothing to gain by large pictures"
    monkeypatch.setattr(graphs, "_pays", lambda asked: False)
    compare(found, [curve_alone(1, view=view) for view in views])
    compare([other], [at_two_sizes("cuda:0", 12)[1]])
    assert counted.made == 4


@on_a_gpu
def test_in_company_each_finds_the_same(counted: type[Counted], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose losses are found at once, and those that differ."""
    companies = [[WEIGHTS] * 5, [WEIGHTS, OTHER, WEIGHTS, OTHER]]
    found = [curves_in_company(weights) for weights in companies]
    assert counted.made > 2
    monkeypatch.setattr(graphs, "_pays", lambda asked: False)
    for one, weights in zip(found, companies, strict=True):
        compare(one, curves_in_company(weights))


@on_a_gpu
def test_its_memory_is_given_back(counted: type[Counted]) -> None:
    memory = []
    for _ in range(3):
        curve_alone(1)
        curves_in_company([WEIGHTS] * 4)
        gc.collect()
        torch.cuda.empty_cache()
        memory.append((torch.cuda.memory_allocated(), torch.cuda.memory_reserved()))
    assert counted.made > 3
    # Libraries have taken what they need in the first round.
    first, *others = memory
    assert all(allocated == first[0] and reserved <= first[1] for allocated, reserved in others), memory


@on_a_gpu
def test_threads_of_one_gpu_do_not_disturb_each_other(counted: type[Counted]) -> None:
    expected = [curve_alone(seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as threads:
        compare(threads.map(curve_alone, range(4)), expected)
    assert counted.made > 4


@on_a_gpu
def test_what_cannot_be_recorded_is_evaluated_as_it_is(counted: type[Counted]) -> None:
    def waiting(pictures: Tensor) -> Tensor:
        return pictures if pictures.sum().item() > 0 else -pictures

    expected = curve_alone(1)
    assert counted.made == 1
    compare([curve_alone(1, view=waiting)], [expected])
    assert counted.made == 1
    torch.cuda.empty_cache()
    compare([curve_alone(1)], [expected])
    assert counted.made == 2, "others are recorded after that"
