"""What a step of the optimizer, a step of a training and one pass take on this machine, tried for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst.lbfgs import LBFGS
from stylebatch.tasks.nst.optimize import alone, search
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.stylizing.objective import make_objective, to_tensor
from stylebatch.tasks.training.request import Request
from stylebatch.tasks.training.session import Session

TRIED = 3  # times; the first also builds what later ones use


@dataclass(frozen=True)
class Rates:
    """Seconds: of a step of the optimizer that looks at the full size alone, of one of a training, and of one pass."""

    optimizer_step: float
    training_step: float
    painting: float


def measure_rates(job: Job, request: Request, slot: Slot) -> Rates:
    """Try a job's picture, and the training of the network that would paint it, with two of its contents.

    Raises:
        BadInput: a picture cannot be read, or a file was changed meanwhile.
    """
    settings = job.settings
    picture = load_picture(job.content, job.content_sha256)
    content = to_tensor(resize(picture, settings.longer_side(picture.size)), slot.device)
    objective = make_objective(job, [content], settings.precision, slot.device, share=slot.share)
    optimizing = _best_time(lambda: alone(search(objective, content, LBFGS(1), 1)))
    with Session(replace(request, contents=request.contents[:2]), slot) as session:
        # To its end: a device of its own would not be waited for.
        painting = _best_time(lambda: session.paint(content).cpu())
        return Rates(optimizing, _best_time(session.take), painting)


def _best_time(action: Callable[[], object]) -> float:
    times = []
    for _ in range(TRIED):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times[1:])
