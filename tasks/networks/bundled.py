"""The network for any style that comes with the package, and which file a row's network is read from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stylebatch.tasks.storage.places import Place

# The network for any style that comes with the package.
BUNDLED = Path(__file__).parents[2] / "manifests" / "models" / "any-style.safetensors"


def locate_model(model: str, locate: Callable[[str], Place]) -> Place:
    """The file of the setting ``model``: what `locate` makes of it, or of ``none`` the bundled one."""
    return BUNDLED if model == "none" else locate(model)


def model_here(model: Place) -> Place:
    """A job's file on this machine: a worker has a copy of the bundled one in a place of its own."""
    return BUNDLED if isinstance(model, Path) and model.name == BUNDLED.name and not model.exists() else model
