"""``engine: auto``: whether a network for a style pays, by what steps take on this machine."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.devices import Slot
from tasks.errors import BadInput
from tasks.files import exists
from tasks.jobs import make_jobs
from tasks.manifest import Manifest
from tasks.models import read_trained
from tasks.places import Place, absolute
from tasks.remote_store import AnyStore
from tasks.rows import Pair
from tasks.settings import Settings
from tasks.training import STEPS, Rates, Request, make_request, measure_rates

# Steps of the optimizer that a network's picture is taken to be worth before there is one to tell.
EXPECTED_WORTH = 20
Train = Callable[[Request, Place, Slot], object]


@dataclass(frozen=True)
class Estimate:
    """What the pictures of one style would take.

    Attributes:
        pictures: that are still to be made.
        steps: of the optimizer for each of them.
        refine: of them, those that are left to it when a network has painted.
    """

    pictures: int
    steps: int
    refine: int
    rates: Rates

    @property
    def optimizing(self) -> float:
        """Seconds, without a network."""
        return self.pictures * self.steps * self.rates.optimizer_step

    @property
    def painting(self) -> float:
        """Seconds, with a network that is there."""
        return self.pictures * (self.rates.painting + self.refine * self.rates.optimizer_step)

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
        return f"{self.pictures} pictures, {_minutes(self.optimizing)} of optimizing, or {network}"


def choose_engines(
    manifest: Manifest, pairs: Sequence[Pair], store: AnyStore, slot: Slot, train: Train | None = None
) -> tuple[list[Pair], list[str]]:
    """Put an engine in the place of ``auto``: ``feedforward`` where there is a network for the style or one pays.

    Args:
        train: carries out a request into a file; without it, no network is made.

    Returns:
        All pairs in their order, and what was decided for each style and why.
    """
    chosen: dict[int, Pair] = {}
    told = []
    for group in _groups(pairs):
        engine, reason = _choose(manifest, group, store, slot, train)
        chosen |= {pair.row: replace(pair, settings=pair.settings.model_copy(update=engine)) for pair in group}
        told.append(f"{group[0].style}: {reason}")
    shared: dict[tuple[int, str], Settings] = {}  # rows that shared their settings still do
    result = []
    for pair in pairs:
        if pair.row in chosen:
            after = chosen[pair.row].settings
            after = shared.setdefault((id(pair.settings), after.model), after)
            pair = replace(pair, settings=after)
        result.append(pair)
    return result, told


def _groups(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """The pairs that leave their engine open, those of one style and the same settings together."""
    groups: dict[tuple[str, int], list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.settings.engine == "auto":
            groups[pair.style, id(pair.settings)].append(pair)
    return list(groups.values())


def _choose(
    manifest: Manifest, group: Sequence[Pair], store: AnyStore, slot: Slot, train: Train | None
) -> tuple[Mapping[str, object], str]:
    """The settings of the engine for one style's pairs, and the reason for it."""
    settings = group[0].settings
    optimize = {"engine": "optimize", "model": "none", "refine": 0}
    as_optimized = settings.model_copy(update=optimize)
    jobs, _ = make_jobs(manifest, [replace(pair, settings=as_optimized) for pair in group], slot)
    if len({job.content_sha256 for job in jobs}) < 2:
        return optimize, "optimized, since a network needs several contents"
    style, weights = jobs[0].styles[0], (jobs[0].weights, jobs[0].weights_sha256)
    contents = [(job.content, job.content_sha256) for job in jobs]
    plain = as_optimized.model_copy(update={"preserve_color": "none"})
    request = make_request(style.path, style.sha256, contents, plain, weights, STEPS, slot.device)
    model = store.network(request.key)
    if not exists(model):
        known = store.find_all(job.key for job in jobs)
        left = len({job.key for job in jobs} - known.keys())
        if left * settings.steps <= STEPS:  # a step of a training takes as long as one of the optimizer at least
            return optimize, f"optimized, since {left} pictures are quicker than the training of a network"
        refine = _refine(settings, EXPECTED_WORTH)
        estimate = Estimate(left, settings.steps, refine, measure_rates(request, slot))
        if not estimate.pays or train is None:
            return optimize, f"optimized: {estimate}"
        train(request, model, slot)
        reason = f"painted by a network: {estimate}"
    else:
        reason = "painted by the network that was trained before"
    try:
        worth = read_trained(model).worth
    except BadInput as error:
        return optimize, f"optimized: {error}"
    refine = _refine(settings, worth)
    steps = f", and {refine} steps of the optimizer" if refine else ""
    return {"engine": "feedforward", "model": _named(model, manifest.folder), "refine": refine}, reason + steps


def _refine(settings: Settings, worth: float) -> int:
    """The steps that bring a network's picture to where ``steps`` would, or those that were asked for."""
    if "refine" in settings.model_fields_set:
        return settings.refine
    return max(0, settings.steps - int(worth))


def _named(model: Place, folder: Place) -> str:
    """The network as a row of a manifest in ``folder`` would name it."""
    if isinstance(model, Path) and isinstance(folder, Path):
        return Path(os.path.relpath(model, folder)).as_posix()
    return str(absolute(model))


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
