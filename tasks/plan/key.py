"""The key of a pair: the digest of all that decides its picture. Same key, same picture."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache

from stylebatch.tasks.request.settings import Settings

# To be raised with every change that gives another picture for the same pictures and settings.
ENGINE = 5


# The settings of an engine that another has no use for.
OF_NETWORKS = {"engine", "refine", "strength"}
OF_OPTIMIZING = {"steps", "scales", "init", "seed"}
OF_LOSSY = {"format", "quality"}
OF_OPTIMIZERS = {"optimizer", "learning_rate", "history", "tolerance"}


def _idle(settings: Settings) -> set[str]:
    """The settings that do not decide this picture."""
    idle = OF_LOSSY if settings.format == "png" else set()
    if settings.optimizer != "lbfgs":
        idle = idle | {"history"}
    if settings.engine != "feedforward":
        return (OF_NETWORKS - {"strength"} if settings.paints else OF_NETWORKS) | idle
    return OF_OPTIMIZING | idle | (set() if settings.refine else OF_OPTIMIZERS)


class _Same:
    """Settings by their identity: those that rows share are asked about again and again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __hash__(self) -> int:
        return id(self.settings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.settings is self.settings


@lru_cache(maxsize=1024)
def _counting(of: _Same, init_sha256: str | None) -> str:
    """What counts of the settings, as JSON."""
    settings = of.settings
    counting = settings.model_dump(exclude={"weights", "model", *_idle(settings)})
    if "history" in counting:  # what the steps leave unused decides nothing
        counting["history"] = min(settings.history, settings.optimizer_steps)
    return json.dumps(counting | ({"init": init_sha256} if init_sha256 else {}), sort_keys=True)


@lru_cache(maxsize=65_536)
def _blended(styles: tuple[tuple[str, float, str | None], ...]) -> str:
    """The styles, as JSON."""
    return json.dumps(list(styles))


def pair_key(
    content_sha256: str,
    styles: Sequence[tuple[str, float, str | None]],
    init_sha256: str | None,
    weights_sha256: str,
    settings: Settings,
    model_sha256: str | None = None,
) -> str:
    """The key, 64 hexadecimal digits.

    Args:
        styles: each style's digest, its share of the blend, and its mask's digest, if it has one.
        init_sha256: of the picture to start from, if there is one; it counts by its bytes, wherever it lies.
        weights_sha256: of the network's weights, which count in the same way.
        model_sha256: of the trained network, with the engine ``feedforward``; it counts in the same way.
        settings: with the precision resolved, so that another machine's ``auto`` is not taken for this one's.
    """
    model = f'"model": "{model_sha256}", ' if model_sha256 else ""
    # JSON with its names in order, put together from parts that many pairs have in common.
    text = (
        f'{{"content": "{content_sha256}", "engine": {ENGINE}, {model}"settings": '
        f'{_counting(_Same(settings), init_sha256)}, "styles": {_blended(tuple(styles))}, '
        f'"weights": "{weights_sha256}"}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()
