"""The stopping rule: patient while the loss falls, done when it does not."""

from __future__ import annotations

from stylebatch.tasks.nst.stopping import WINDOW, Stalled


def steps_until(stalled: Stalled, losses: list[float]) -> int | None:
    return next((step for step, loss in enumerate(losses, start=1) if stalled(loss)), None)


def test_a_flat_loss_stops_after_the_window() -> None:
    assert steps_until(Stalled(0.01), [5.0] * 50) == WINDOW + 1


def test_a_falling_loss_goes_on() -> None:
    assert steps_until(Stalled(0.01), [0.99**step for step in range(100)]) is None


def test_a_loss_that_falls_too_slowly_stops() -> None:
    slowly = [0.9999**step for step in range(100)]
    assert steps_until(Stalled(0.01), slowly) == WINDOW + 1
    assert steps_until(Stalled(0.0001), slowly) is None


def test_without_a_tolerance_nothing_stops() -> None:
    assert steps_until(Stalled(0.0), [5.0] * 50) is None
