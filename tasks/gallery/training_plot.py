"""The plot of a training: losses over minutes, of training and of the pictures that were held out."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib
from matplotlib.figure import Figure
from prefect import task

from stylebatch.tasks.gallery.plots import COLOURS, LOOK
from stylebatch.tasks.networks.models import Trained
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.training.training import Point


@task(name="plot of the training", retries=2, retry_delay_seconds=1)
def draw_training(curve: Sequence[Point], trained: Trained, path: Place) -> None:
    """Draw the curve as SVG, whole or not at all."""
    minutes = [point.seconds / 60 for point in curve]
    with matplotlib.rc_context(LOOK):
        figure = Figure(figsize=(5.2, 3.2))
        axes = figure.add_subplot()
        axes.plot(minutes, [point.loss for point in curve], color=COLOURS[0], label="training, geometric mean")
        axes.plot(minutes, [point.held_out for point in curve], color=COLOURS[1], label="held out, as written, mean")
        axes.set_yscale("log")
        axes.set_xlabel("minutes")
        axes.set_ylabel("total loss")
        worth = f"in the end as good as {trained.worth:.0f} steps of the optimizer"
        axes.set_title(f"{trained.style}: {worth}", loc="left")
        axes.legend()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Title": trained.style}, bbox_inches="tight")
    write_atomically(path, buffer.getvalue())
