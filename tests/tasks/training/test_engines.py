"""What ``engine: auto`` weighs, by figures that are given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stylebatch.tasks.training.engines import Estimate
from stylebatch.tasks.training.rates import Rates
from stylebatch.tasks.training.request import TUNING_STEPS

RATES = Rates(optimizer_step=0.2, training_step=3.0, painting=0.1)


def test_the_estimate_weighs_tuning_against_all_pictures() -> None:
    few, many = (Estimate(pictures, pictures, 100, 0, RATES) for pictures in (20, 1000))
    assert many.optimizing == pytest.approx(20_000)
    assert many.tuning == pytest.approx(1.1 * 3 * TUNING_STEPS)
    assert many.painting == pytest.approx(100)
    assert many.pays
    assert not few.pays
    assert str(many) == "1000 pictures, 333 min of optimizing, or 8 min of tuning and 2 min of painting"


def test_what_is_shared_out_and_what_is_not() -> None:
    many = Estimate(1000, 1000, 100, 0, RATES)
    assert not replace(many, slots=64).pays, "only the tuning is not shared out"
    assert not replace(many, left=20).pays, "a network would make the finished ones again"
    assert not replace(many, refine=100).pays, "what is refined after all is not saved"
