"""``engine: auto``: whether a network for a style pays, by what steps take on this machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from stylebatch.tasks.devices.memory import is_out_of_memory
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, BadRequest, told
from stylebatch.tasks.networks.models import read_trained
from stylebatch.tasks.nst.scales import automatic_scales, resolutions
from stylebatch.tasks.plan.jobs import Job, check_decoding, make_jobs
from stylebatch.tasks.plan.rows import Pair, beyond_a_network
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.storage.files import exists
from stylebatch.tasks.storage.places import Place, absolute
from stylebatch.tasks.training.training import STEPS, Rates, Request, make_request, measure_rates

# Steps of the optimizer that a network's picture is taken to be worth before there is one to tell.
EXPECTED_WORTH = 10
OPTIMIZE: Mapping[str, object] = {"engine": "optimize", "model": "none", "refine": 0}
Train = Callable[[Request, Place, Slot], object]


@dataclass(frozen=True)
class Estimate:
    """What the pictures of one style would take.

    Attributes:
        left: pictures that are still to be made, if each is optimized.
        painted: pictures that a network would make: all of them, since none of its own is there.
        steps: of the optimizer for each picture, as many as they would be at the full size.
        refine: of them, those that are left to it when a network has painted.
        slots: that share all this, but for the training.
    """

    left: int
    painted: int
    steps: float
    refine: int
    rates: Rates
    slots: int = 1

    @property
    def optimizing(self) -> float:
        """Seconds, without a network."""
        return self.left * self.steps * self.rates.optimizer_step / self.slots

    @property
    def painting(self) -> float:
        """Seconds, with a network that is there."""
        return self.painted * (self.rates.painting + self.refine * self.rates.optimizer_step) / self.slots

    @property
    def training(self) -> float:
        """Seconds until there is one."""
        return STEPS * self.rates.training_step

    @property
    def pays(self) -> bool:
        """Whether a network is the quicker way, its training included."""
        return self.training + self.painting < self.optimizing

    def __str__(self) -> str:
        network = f"{_minutes(self.training)} of training and {_minutes(self.painting)} of stylizing"
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
        """Put an engine in the place of ``auto``: ``feedforward`` where a network for the style is there, or pays.

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
        first = group[0]
        for column, problem in beyond_a_network(first.settings, first.styles, first.masks):
            return OPTIMIZE, f"optimized: {column}: {problem}"
        as_optimized = first.settings.model_copy(update=OPTIMIZE)
        jobs, _ = make_jobs(self.manifest, [replace(pair, settings=as_optimized) for pair in group], self.slots[0])
        if len({job.content_sha256 for job in jobs}) < 2:
            return OPTIMIZE, "optimized, since a network needs several contents"
        try:
            return self._weigh(first.settings, jobs)
        except (
            BadInput,
            BadRequest,
            OSError,
            MemoryError,
            RuntimeError,
        ) as error:  # as memory that has run out is told
            if isinstance(error, RuntimeError) and not is_out_of_memory(error):
                raise
            return OPTIMIZE, f"optimized, since no network can be had: {told(error)}"

    def _weigh(self, settings: Settings, jobs: Sequence[Job]) -> tuple[Mapping[str, object], str]:
        slot, style, weights = self.slots[0], jobs[0].styles[0], (jobs[0].weights, jobs[0].weights_sha256)
        contents = [(job.content, job.content_sha256) for job in jobs]
        plain = jobs[0].settings.model_copy(update={"preserve_color": "none"})
        request = make_request(style.path, style.sha256, contents, plain, weights, STEPS, slot.device)
        model = self.store.network(request.key)
        if exists(model):
            return self._painted(settings, model, "painted by the network that was trained before")
        if self.train is None:
            return OPTIMIZE, "optimized, since there is no network for it"
        keys = {job.key for job in jobs}
        left = len(keys) if self.refresh else len(keys - self.store.find_all(keys).keys())
        steps = full_steps(settings)
        if left * steps <= STEPS:  # a step of a training takes as long as one of the optimizer at least
            return OPTIMIZE, f"optimized, since {left} pictures are quicker than the training of a network"
        whole, _, _ = check_decoding(jobs)
        fit = [(job.content, job.content_sha256) for job in whole]
        request = make_request(style.path, style.sha256, fit, plain, weights, STEPS, slot.device)
        refine = _refine(settings, EXPECTED_WORTH)
        estimate = Estimate(left, len(keys), steps, refine, measure_rates(request, slot), len(self.slots))
        if not estimate.pays:
            return OPTIMIZE, f"optimized: {estimate}"
        locks = self.store.locks
        locks.acquire_lock(request.key, "train")  # another process may be at it, and then it has made the network
        try:
            if not exists(model):
                self.train(request, model, slot)
        finally:
            locks.release_lock(request.key, "train")
        return self._painted(settings, model, f"painted by a network: {estimate}")

    def _painted(self, settings: Settings, model: Place, reason: str) -> tuple[Mapping[str, object], str]:
        refine = _refine(settings, read_trained(model).worth)
        steps = f", and {refine} steps of the optimizer" if refine else ""
        return {"engine": "feedforward", "model": str(absolute(model)), "refine": refine}, reason + steps


def _groups(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """The pairs that leave their engine open, those of one style and the same settings together."""
    groups: dict[tuple[str, tuple[str, ...], int], list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.settings.engine == "auto":
            groups[pair.style, pair.masks, id(pair.settings)].append(pair)
    return list(groups.values())


def full_steps(settings: Settings) -> float:
    """How many steps at the full size take as long as those of all resolutions."""
    scales = automatic_scales(settings.size) if settings.scales == "auto" else settings.scales
    return sum(
        steps * (side / settings.size) ** 2 for side, steps in resolutions(settings.size, scales, settings.steps)
    )


def _refine(settings: Settings, worth: float) -> int:
    """The steps that bring a network's picture to where ``steps`` would, or those that were asked for."""
    if "refine" in settings.model_fields_set:
        return settings.refine
    return max(0, settings.steps - int(worth))


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
