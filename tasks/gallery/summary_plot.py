"""The plot of a summary: each picture as a dot and each group's mean as a bar, side by side for each number."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from stylebatch.tasks.gallery.drawing import COLOURS, LABELS, LOOK, as_svg, plain, shorten
from stylebatch.tasks.gallery.summary import NUMBERS, Summary
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place

GROUPS = 60  # more than these do not fit on a page
VECTOR_POINTS = 1500  # beyond so many, they become one picture within the SVG


def draw_summary(summary: Summary, folder: Place) -> Place:
    """Draw the first `GROUPS` groups as ``by-<column>.svg``, whole or not at all.

    Args:
        folder: the run's.

    Returns:
        The file.
    """
    groups = summary.groups[:GROUPS]
    file = folder / f"by-{summary.by}.svg"
    with matplotlib.rc_context(LOOK), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a script that matplotlib's font lacks
        figure = Figure(figsize=(2.1 * len(NUMBERS), 0.8 + 0.28 * len(groups)), layout="constrained")
        panels: Any = figure.subplots(1, len(NUMBERS), sharey=True)
        for axes, name in zip(panels, NUMBERS, strict=True):
            for place, group in enumerate(groups):
                numbers, mean = group.numbers[name], group.mean(name)
                axes.scatter(
                    numbers,
                    [place] * len(numbers),
                    s=12,
                    c=COLOURS[0],
                    alpha=0.4,
                    linewidths=0,
                    rasterized=sum(one.count for one in groups) > VECTOR_POINTS,
                )
                if mean is not None:
                    axes.plot([mean, mean], [place - 0.35, place + 0.35], color="#222222", linewidth=1.6)
            apart = f"\nof different {', '.join(summary.apart[name])}" if name in summary.apart else ""
            axes.set_xlabel(LABELS[name] + apart)
            axes.set_yticks(range(len(groups)), [shorten(group.value) for group in groups])
            axes.set_ylim(len(groups) - 0.5, -0.5)
            axes.set_xlim(0, 1.08 * axes.get_xlim()[1])
            axes.grid(visible=False, axis="y")
            axes.tick_params(axis="y", length=0)
            plain(axes)
        panels[0].set_ylabel(summary.by)
        svg = as_svg(figure, f"{folder.name} by {summary.by}")
    write_atomically(file, svg)
    return file
