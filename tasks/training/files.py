"""Where a training leaves its files: all beside the network that it makes."""

from __future__ import annotations

from stylebatch.tasks.storage.places import Place


def checkpoint_of(out: Place) -> Place:
    """What the training has come to, until the network is written to ``out``."""
    return out.with_name(f"{out.name}.checkpoint")


def preview_of(out: Place) -> Place:
    """Held-out pictures as the network paints them."""
    return out.with_name(f"{out.stem}.preview.png")


def plot_of(out: Place) -> Place:
    """How the training went."""
    return out.with_name(f"{out.stem}.training.svg")
