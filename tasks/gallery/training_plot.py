"""The plot of a training: how the pictures that were held out do, over the samples seen."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.figure import Figure
from prefect import task

from stylebatch.tasks.gallery.drawing import COLOURS, LOOK, as_svg
from stylebatch.tasks.networks.models import Trained
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.training.course import Point


@task(name="plot of the training", retries=2, retry_delay_seconds=1)
def draw_training(curve: Sequence[Point], trained: Trained, path: Place) -> None:
    """Draw the curve as SVG, whole or not at all."""
    samples = [point.samples for point in curve]
    title = trained.style or "any style"
    far = "style distance: less is better", [point.style_distance for point in curve]
    if trained.is_of_collection:
        far = "distance to the paintings: less is better, photographs have 1", [point.held_out for point in curve]
    with matplotlib.rc_context(LOOK):
        figure = Figure(figsize=(5.2, 3.2))
        axes = figure.add_subplot()
        for name, values, colour in (
            ("structure: more is better", [point.structure for point in curve], COLOURS[0]),
            (*far, COLOURS[1]),
        ):
            axes.plot(samples, values, color=colour, label=name, marker="." if len(curve) == 1 else "")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("samples")
        axes.set_ylabel("held-out pictures, mean")
        minutes = f"{trained.seconds / 60:,.0f} min" if trained.seconds >= 90 else f"{trained.seconds:.0f} s"
        axes.set_title(f"{title}: {trained.samples:,} samples in {minutes}", loc="left")
        axes.legend()
        svg = as_svg(figure, title)
    write_atomically(path, svg)
