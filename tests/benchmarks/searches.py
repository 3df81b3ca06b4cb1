"""What is measured of the optimizer in company: searches for pictures of one shape, a step of them, its arithmetic."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst.evaluation import Asked, evaluate
from stylebatch.tasks.nst.graphs import Evaluator
from stylebatch.tasks.nst.optimize import Search
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.stylizing.stylize import Finished, make

SAMPLES = Path(__file__).parents[2] / "manifests"
CONTENT, STYLES = "coffee", ("swirls", "waves", "glass")  # one content, so that all are of one shape at any size
ENDLESS = 10_000  # steps; nobody waits for them


def jobs_of(size: int, count: int, device: str, precision: str = "auto", steps: int = ENDLESS) -> list[Job]:
    """Pairs of the samples, of one shape."""
    rows = [
        {
            "content": f"images/{CONTENT}.jpg",
            "style": f"styles/{STYLES[number % len(STYLES)]}.jpg",
            "size": size,
            "steps": steps,
            "scales": 1,
            "precision": precision,
        }
        for number in range(count)
    ]
    manifest = Manifest(SAMPLES / "bench.yaml", rows)
    pairs, bad_rows = check_rows(manifest, {})
    assert not bad_rows
    return make_jobs(manifest, pairs, Slot(device))[0]


class Company:
    """Searches that go on together, a step at a time."""

    def __init__(self, jobs: Sequence[Job], device: str) -> None:
        slot = Slot(device)
        self._searches: list[Search[Finished]] = [
            make(job, load_picture(job.content), slot, trace=False, frugal=False) for job in jobs
        ]
        self._evaluator = Evaluator()
        self._asked: list[Asked] = [next(searching) for searching in self._searches]

    def step(self) -> float:
        """Go one step further; the seconds that it took."""
        began = time.perf_counter()
        told = self._evaluator.evaluate(self._asked)
        self._asked = [searching.send(seen) for searching, seen in zip(self._searches, told, strict=True)]
        if self._asked[0].point.is_cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - began

    def close(self) -> None:
        """Give back what was kept for the next step."""
        self._evaluator.close()

    @property
    def pixels(self) -> int:
        """Of one picture."""
        return self._asked[0].image.start[0, 0].numel()

    def operations(self) -> int:
        """Floating-point operations of a step of the first of them."""
        first = self._asked[0]
        # torch's counter cannot follow what a module is given as it is: so the network is given a copy.
        counted = Asked(replace(first.objective, view=torch.clone), first.image, first.point)
        with FlopCounterMode(display=False) as counter:
            evaluate([counted])
        return int(counter.get_total_flops())


@cache
def product_rate(device: str, dtype: torch.dtype, side: int) -> float:
    """Operations a second of a square matrix product, the best of some."""
    a, b = (torch.ones(side, side, dtype=dtype, device=device) for _ in range(2))
    best = float("inf")
    for _ in range(8):
        began = time.perf_counter()
        a @ b
        if a.is_cuda:
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best
