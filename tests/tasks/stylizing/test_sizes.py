"""The resolutions of a picture, and what steps at them cost."""

from __future__ import annotations

import pytest

from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.stylizing.sizes import full_steps, ladder, refining_steps


def test_steps_count_by_their_resolutions() -> None:
    assert full_steps(Settings(steps=100, size=256), 300, 200) == 100
    assert full_steps(Settings(steps=150, size=1024, objective="classic"), 300, 200) == pytest.approx(75 / 4 + 75)
    assert full_steps(Settings(steps=100, size="original"), 512, 400) == pytest.approx(67 / 4 + 33 * 1.25)


def test_refining_looks_at_all_sizes() -> None:
    refined = Settings(engine="feedforward", refine=20, size=512)
    assert refining_steps(refined, 300, 200) == 20 * 1.25
    assert refining_steps(refined.model_copy(update={"size": 256}), 300, 200) == 20


def test_a_content_that_is_too_narrow_for_the_network_begins_at_a_larger_size() -> None:
    settings = Settings(steps=100, size=512)
    assert [side for side, _ in ladder(settings, 512, 400)] == [256, 512]
    assert [side for side, _ in ladder(settings, 512, 16)] == [512]
    assert full_steps(settings, 512, 16) == 100
