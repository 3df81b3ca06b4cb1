"""What is told of a training as it goes on, and that it is of no use any more."""

from __future__ import annotations

from batched.graphs import Steps
from batched.learner import Learner
from batched.optimizer import Optimizer
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.training.course import DIVERGED

REPORTS = 20  # in a whole training


class Progress:
    """Prints how the steps go, now and then: to look at the losses is to wait for the device."""

    def __init__(self, learner: Learner, optimizer: Optimizer, steps: Steps) -> None:
        self._learner, self._optimizer, self._steps = learner, optimizer, steps
        self._reports, self._step, self._left_out = 1, 0, 0

    def tell(self, done: float, seconds: float) -> None:
        """Print the means since the last time, if so much of the training is done that it is time to.

        Raises:
            BadInput: no batch since then has had finite gradients.
        """
        if done * REPORTS < self._reports:
            return
        self._reports = int(done * REPORTS) + 1
        steps, left_out = self._steps.steps - self._step, int(self._optimizer.left_out) - self._left_out
        self._step += steps
        self._left_out += left_out
        means = self._learner.means(steps)
        print(
            f"{self._step:,} steps, {self._steps.samples:,} samples, {seconds:.0f} s: content {means.content:.4f}, "
            f"style {means.style:.4f}, total variation {means.tv:.2f}; {left_out} left out",
            flush=True,
        )
        if left_out == steps:
            raise BadInput(DIVERGED)
