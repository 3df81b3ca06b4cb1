"""``engine: auto``: what paints each style, as ``effort`` asks.

``draft`` paints in one pass and ``best`` optimizes each picture. ``good`` takes, for each style, what is quicker for
all of its pictures on this machine: to optimize them, or to tune the network to the style and paint them in one pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from stylebatch.tasks.devices.memory import is_out_of_memory
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, BadRequest, told
from stylebatch.tasks.networks.bundled import BUNDLED
from stylebatch.tasks.plan.jobs import Job, check_decoding, make_jobs
from stylebatch.tasks.plan.rows import Pair
from stylebatch.tasks.request.collections import pattern_of
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.storage.files import exists, sha256_of
from stylebatch.tasks.storage.places import Place, absolute
from stylebatch.tasks.stylizing.sizes import full_steps, refining_steps
from stylebatch.tasks.training.rates import Rates, measure_rates
from stylebatch.tasks.training.request import TUNING_STEPS, Request, make_request
from stylebatch.tasks.training.samples import TUNED_CROP
from stylebatch.tasks.training.session import BATCH

OPTIMIZE: Mapping[str, object] = {"engine": "optimize", "refine": 0}
PAINT: Mapping[str, object] = {"engine": "feedforward"}
JUDGING = 1.1  # times what its steps take is what a training takes, with the looks at how it goes
Train = Callable[[Request, Place, Slot], object]


@dataclass(frozen=True)
class Estimate:
    """What the pictures of one style would take.

    Attributes:
        left: pictures that are still to be made, if each is optimized.
        painted: pictures that a tuned network would make: all of them, since none of its own is there.
        steps: of the optimizer for each picture, as many as they would be at the full size.
        refine: as many, for those that are asked for after a network has painted.
        slots: that share all this, but for the training.
    """

    left: int
    painted: int
    steps: float
    refine: float
    rates: Rates
    slots: int = 1

    @property
    def optimizing(self) -> float:
        """Seconds, without a tuned network."""
        return self.left * self.steps * self.rates.optimizer_step / self.slots

    @property
    def painting(self) -> float:
        """Seconds, with a tuned network that is there."""
        return self.painted * (self.rates.painting + self.refine * self.rates.optimizer_step) / self.slots

    @property
    def tuning(self) -> float:
        """Seconds until there is one."""
        return JUDGING * TUNING_STEPS * self.rates.training_step

    @property
    def pays(self) -> bool:
        """Whether tuning is the quicker way, with the painting."""
        return self.tuning + self.painting < self.optimizing

    def __str__(self) -> str:
        network = f"{_minutes(self.tuning)} of tuning and {_minutes(self.painting)} of painting"
        return f"{self.left} pictures, {_minutes(self.optimizing)} of optimizing, or {network}"


@dataclass(frozen=True)
class Choice:
    """How the engine is chosen in one run.

    Attributes:
        slots: that the run has.
        refresh: whether it makes everything anew.
        train: carries out a request into a file; without it, only networks that are there are taken.
    """

    manifest: Manifest
    store: AnyStore
    slots: Sequence[Slot]
    refresh: bool = False
    train: Train | None = None

    def resolve(self, pairs: Sequence[Pair]) -> tuple[list[Pair], list[str]]:
        """Put an engine in the place of ``auto``.

        Returns:
            All pairs in their order, and what was decided for each style and why.
        """
        chosen: dict[int, Settings] = {}
        reasons = []
        for group in _groups(pairs):
            engine, reason = self._choose(group)
            settings = group[0].settings.model_copy(update=engine)  # rows that shared theirs still do
            chosen |= {pair.row: settings for pair in group}
            reasons.append(f"{group[0].style}: {reason}")
        return [replace(pair, settings=chosen.get(pair.row, pair.settings)) for pair in pairs], reasons

    def _choose(self, group: Sequence[Pair]) -> tuple[Mapping[str, object], str]:
        """The settings of the engine for one style's pairs, and the reason for it."""
        settings = group[0].settings
        if settings.effort == "best":
            return OPTIMIZE, "optimized, as effort=best asks"
        if settings.effort == "draft":
            return PAINT, "painted in one pass, as effort=draft asks"
        if settings.model != "none":
            return PAINT, f"painted in one pass by {settings.model}"
        if len(group[0].styles) > 1 or pattern_of(group[0].style) or settings.preserve_color == "match":
            return OPTIMIZE, "optimized, since a network is tuned to one style in its own colours"
        as_optimized = settings.model_copy(update=OPTIMIZE)
        jobs, _ = make_jobs(self.manifest, [replace(pair, settings=as_optimized) for pair in group], self.slots[0])
        if len({job.content_sha256 for job in jobs}) < 2:
            return OPTIMIZE, "optimized, since tuning a network needs several contents"
        try:
            return self._weigh(settings, jobs)
        except (BadInput, BadRequest, OSError, MemoryError, RuntimeError) as error:
            # As memory that has run out is told.
            if isinstance(error, RuntimeError) and not is_out_of_memory(error):
                raise
            return OPTIMIZE, f"optimized, since no network can be tuned to it: {told(error)}"

    def _weigh(self, settings: Settings, jobs: Sequence[Job]) -> tuple[Mapping[str, object], str]:
        """Whether a network that is tuned to the style of these jobs is there, or pays."""
        request = self._request(jobs)
        model = self.store.network(request.key)
        tuned = {**PAINT, "model": str(absolute(model))}
        if exists(model):
            return tuned, "painted in one pass by the network that was tuned to it before"
        if self.train is None:
            return OPTIMIZE, "optimized, since there is no network tuned to it"
        keys = {job.key for job in jobs}
        left = len(keys) if self.refresh else len(keys - self.store.find_all(keys).keys())
        square = request.size, request.size
        steps = full_steps(settings, *square)
        crop = min(TUNED_CROP, request.size)
        if left * steps * request.size**2 <= TUNING_STEPS * BATCH * crop**2:  # a sample takes longer than such a step
            return OPTIMIZE, f"optimized, since {left} pictures are quicker than tuning a network"
        whole, _, _ = check_decoding(jobs)
        request = self._request(whole)
        rates = measure_rates(whole[0], request, self.slots[0])
        estimate = Estimate(left, len(keys), steps, refining_steps(settings, *square), rates, len(self.slots))
        if not estimate.pays:
            return OPTIMIZE, f"optimized: {estimate}"
        locks = self.store.locks
        locks.acquire_lock(request.key, "train")  # another process may be at it, and then it has made the network
        try:
            if not exists(model):
                self.train(request, model, self.slots[0])
        finally:
            locks.release_lock(request.key, "train")
        return tuned, f"painted in one pass by a network tuned to it: {estimate}"

    def _request(self, jobs: Sequence[Job]) -> Request:
        """To tune the network that comes along to the style of these jobs."""
        styles = [(style.path, style.sha256) for style in jobs[0].styles]
        contents = [(job.content, job.content_sha256) for job in jobs]
        start = BUNDLED, sha256_of(BUNDLED)
        return make_request(styles, contents, jobs[0].settings, self.slots[0].device, start, TUNING_STEPS)


def _groups(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """The pairs that leave their engine open, those of one style and the same settings together."""
    groups: dict[tuple[str, tuple[str, ...], int], list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.settings.engine == "auto":
            groups[pair.style, pair.masks, id(pair.settings)].append(pair)
    return list(groups.values())


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
