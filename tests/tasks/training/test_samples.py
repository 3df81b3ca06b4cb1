"""What steps look at: always the same for the same number, in all the ways that pictures can be seen."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
import torch

from stylebatch.tasks.nst.condition import LOOKED_AT
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.training import samples as module
from stylebatch.tasks.training.photographs import read_photographs
from stylebatch.tasks.training.request import Request
from stylebatch.tasks.training.samples import SCALES, Sample, Samples, _Window


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(LOOKED_AT)


def samples_of(request: Request, encoder: Encoder) -> Samples:
    read = read_photographs(request)
    return Samples(request, read.contents, read.styles, encoder)


def is_same(one: Sample, other: Sample) -> bool:
    return (
        torch.equal(one.content, other.content)
        and all(torch.equal(one.arrangement[layer], other.arrangement[layer]) for layer in one.arrangement)
        and all(torch.equal(one.style.grams[layer], other.style.grams[layer]) for layer in one.style.grams)
        and torch.equal(one.style.condition, other.style.condition)
    )


def test_a_sample_follows_from_seed_and_number_whatever_was_drawn_before(learning: Request, encoder: Encoder) -> None:
    first, second = samples_of(learning, encoder), samples_of(learning, encoder)
    for number in (0, 3, 1, 4000):  # the last one lets the window move on, so that what it had is dropped
        first.draw(number)
    for number in (4000, 3):
        assert is_same(first.draw(number), second.draw(number))
    seeded = replace(learning, settings=learning.settings.model_copy(update={"seed": 1}))
    assert not is_same(samples_of(seeded, encoder).draw(3), second.draw(3))


def test_samples_differ_and_stay_in_range(learning: Request, encoder: Encoder) -> None:
    samples = samples_of(learning, encoder)
    drawn = [samples.draw(number) for number in range(12)]
    assert len({sample.content.sum().item() for sample in drawn}) > 8
    assert len({tuple(sample.content.shape) for sample in drawn}) > 1
    for sample in drawn:
        assert max(sample.content.shape[-2:]) <= 64
        assert sample.content.min() >= 0
        assert sample.content.max() <= 1
        assert sample.style.condition.isfinite().all()


def test_the_one_style_is_seen_at_all_scales_and_as_it_is(
    tuning: Request, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIXED", 0)
    samples = samples_of(tuning, encoder)
    scales = [style.condition for style in samples.styles(SCALES)]
    assert len({condition.sum().item() for condition in scales}) == SCALES
    drawn = samples.draw(9).style.condition
    assert any(torch.equal(drawn, condition) for condition in scales)


def test_now_and_then_a_style_is_wanted_in_part(
    tuning: Request, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = samples_of(tuning, encoder)
    monkeypatch.setattr(module, "MIXED", 0)
    whole = samples.draw(5)
    monkeypatch.setattr(module, "MIXED", 1)
    part = samples.draw(5)
    assert torch.equal(part.content, whole.content)
    assert not torch.equal(part.style.condition, whole.style.condition)


def test_a_window_moves_on_holds_what_it_may_draw_and_drops_the_rest() -> None:
    made: list[int] = []
    window = _Window(lambda number: made.append(number) or number, width=4, new=0.5)  # type: ignore[func-returns-value]
    drawn = {sample: window.draw(sample, Random(sample)) for sample in range(100)}
    assert all(sample // 2 <= number < sample // 2 + 4 for sample, number in drawn.items())
    assert len(made) == len(set(made)) < 54, "nothing is made twice while it is held"
    assert set(window._held) <= set(range(49, 54))
