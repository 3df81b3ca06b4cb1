"""When to stop before the last step: when the loss no longer falls."""

from __future__ import annotations

from collections import deque

# Long enough that a step which rises, as steps without a line search may, does not end a run that still gets down.
WINDOW = 10


class Stalled:
    """Whether the best loss fell by less than a share of itself over the last `WINDOW` steps.

    Args:
        tolerance: that share; at 0 nothing is ever stalled.
    """

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self._best: deque[float] = deque(maxlen=WINDOW + 1)

    def __call__(self, best: float) -> bool:
        """Take in the best loss after one more step."""
        self._best.append(best)
        if not self._tolerance or len(self._best) <= WINDOW:
            return False
        return self._best[0] - best < self._tolerance * self._best[0]
