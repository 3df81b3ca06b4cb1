"""Summary plots of one or several runs, as SVG for a paper or a slide."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from prefect import task

from stylebatch.tasks.gallery.comparison import needs
from stylebatch.tasks.gallery.drawing import COLOURS, LABELS, LOOK, as_svg, plain, shorten
from stylebatch.tasks.storage.files import write_atomically

STYLES, SETTINGS = 40, 5  # how many are drawn
LETTERS = 22  # beyond so many, the names below an axis are put at an angle
# Beyond so many, points become one picture within the SVG: every browser slows down on tens of thousands of shapes.
VECTOR_POINTS = 1500
LOG_FROM = 20.0  # a range of losses that wide is drawn on a logarithmic scale


@dataclass(frozen=True)
class Point:
    """One result: its style, what tells it apart from others, and its numbers."""

    style: str
    dimensions: Mapping[str, str]
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Plot:
    """A plot that was written, relative to the gallery's folder; ``text`` says what it shows."""

    file: str
    title: str
    text: str


@task(name="draw plots", retries=2, retry_delay_seconds=1)
def draw_plots(points: Sequence[Point], values: Mapping[str, Sequence[str]], folder: Path) -> list[Plot]:
    """Draw what there is to draw into ``folder/plots``.

    Args:
        values: the dimensions that differ (settings and the run), each with its values in order.
    """
    group = next((name for name in ("run", *values) if 2 <= len(values.get(name, ())) <= len(COLOURS)), "")
    groups = values.get(group, ())
    by = f", by {group}" if group else ""
    apart = [name for name in needs("total_loss") if name in values]
    warning = f" Losses of different {', '.join(apart)} do not compare." if apart else ""
    drawn: list[tuple[str, str, str, Callable[[], Figure]]] = []
    if points:
        drawn.append(
            (
                "loss-by-style",
                "Loss by style",
                f"Total loss of every result by style{by}; a bar is a median.{warning}",
                lambda: _by_style(points, group, groups),
            )
        )
    few = [name for name in values if len(values[name]) <= len(COLOURS) * 2]
    settings = list({_partition(points, name): name for name in reversed(few)}.values())[::-1][:SETTINGS]
    if points and settings:
        text = f"Losses that compare, and quality figures, by {', '.join(settings)}; the line joins the medians."
        drawn.append(("loss-by-setting", "Loss by setting", text, lambda: _by_setting(points, settings, values)))
    for file, title, x, y in (
        ("time-against-loss", "Time against loss", "seconds", "total_loss"),
        ("content-against-style", "Content against style", "structure", "style_distance"),
    ):
        here = [point for point in points if x in point.numbers and y in point.numbers]
        if len(here) > 1:
            text = f"{LABELS[x]} against {LABELS[y]}, a point a result{by}."
            text = text[0].upper() + text[1:] + (warning if y == "total_loss" else "")
            drawn.append((file, title, text, lambda here=here, x=x, y=y: _scatter(here, x, y, group, groups)))  # type: ignore[misc]
    plots = []
    with matplotlib.rc_context(LOOK), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a script that matplotlib's font lacks
        for file, title, text, draw in drawn:
            write_atomically(folder / "plots" / f"{file}.svg", as_svg(draw(), title))
            plots.append(Plot(f"plots/{file}.svg", title, text))
    return plots


def _partition(points: Sequence[Point], name: str) -> tuple[int, ...]:
    """Which points are alike in a dimension; two that part them in the same way have the same to show."""
    first: dict[str, int] = {}
    return tuple(first.setdefault(point.dimensions.get(name, ""), place) for place, point in enumerate(points))


def _compares(points: Sequence[Point], setting: str) -> bool:
    """Whether total losses can be compared across a setting: its values have an objective in common."""
    objectives: dict[str, set[tuple[str, ...]]] = {}
    for point in points:
        objective = tuple(point.dimensions.get(name, "") for name in needs("total_loss"))
        objectives.setdefault(point.dimensions.get(setting, ""), set()).add(objective)
    return bool(set.intersection(*objectives.values()))


def _by_style(points: Sequence[Point], group: str, groups: Sequence[str]) -> Figure:
    losses: dict[str, list[Point]] = {}
    for point in points:
        if "total_loss" in point.numbers:
            losses.setdefault(point.style, []).append(point)
    most = sorted(losses, key=lambda style: -len(losses[style]))[:STYLES]
    shown = sorted(most, key=lambda style: -median(point.numbers["total_loss"] for point in losses[style]))
    figure = Figure(figsize=(6.3, 0.9 + max(0.28, 0.14 * len(groups)) * len(shown)))
    axes = figure.add_subplot()
    for place, style in enumerate(shown):
        for rank, value in enumerate(groups or [""]):
            here = [point for point in losses[style] if point.dimensions.get(group, "") == value]
            height = 0.8 / max(1, len(groups))
            middle = place + 0.4 - height * (rank + 0.5)
            _dots(axes, here, "total_loss", None, middle, group, groups)
            if here:
                loss = median(point.numbers["total_loss"] for point in here)
                axes.plot([loss, loss], [middle - 0.4 * height, middle + 0.4 * height], color="#222222", linewidth=1.4)
    axes.set_yticks(range(len(shown)), [shorten(style) for style in shown])
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(LABELS["total_loss"])
    if len(shown) < len(losses):
        axes.set_title(f"the {len(shown)} of {len(losses)} styles with most results", loc="left")
    _finish(axes, "x", [point.numbers["total_loss"] for style in shown for point in losses[style]])
    _legend(axes, group, groups)
    return figure


def _by_setting(points: Sequence[Point], settings: Sequence[str], values: Mapping[str, Sequence[str]]) -> Figure:
    figures = [
        name
        for name in ("total_loss", "structure", "style_distance")
        if any(name in point.numbers for point in points)
        and (name != "total_loss" or any(_compares(points, setting) for setting in settings))
    ]
    figure = Figure(figsize=(max(3.2, 2.3 * len(settings)), 1.7 * len(figures) + 0.4), layout="constrained")
    grid: Any = figure.subplots(len(figures), len(settings), squeeze=False, sharex="col", sharey="row")
    for down, name in enumerate(figures):
        for across, setting in enumerate(settings):
            axes: Axes = grid[down][across]
            if name == "total_loss" and not _compares(points, setting):
                axes.text(0.5, 0.5, "does not compare", transform=axes.transAxes, ha="center", color="#666666")
                continue
            middles = []
            for place, value in enumerate(values[setting]):
                here = [one for one in points if one.dimensions.get(setting) == value and name in one.numbers]
                _dots(axes, here, None, name, place, "", ())
                if here:
                    middles.append((place, median(one.numbers[name] for one in here)))
            axes.plot(*zip(*middles, strict=True), color="#222222", linewidth=1.2)
            axes.set_xticks(range(len(values[setting])), [shorten(value) for value in values[setting]])
            if sum(len(shorten(value)) for value in values[setting]) > LETTERS:
                axes.tick_params(axis="x", rotation=30)
            axes.margins(x=0.15)
            axes.grid(visible=False, axis="x")
            if down == len(figures) - 1:
                axes.set_xlabel(setting)
            if across == 0:
                axes.set_ylabel(LABELS[name])
            if name == "total_loss":
                _finish(axes, "y", [one.numbers[name] for one in points if name in one.numbers])
            plain(axes)
    return figure


def _scatter(points: Sequence[Point], x: str, y: str, group: str, groups: Sequence[str]) -> Figure:
    figure = Figure(figsize=(4.6, 3.4))
    axes = figure.add_subplot()
    _dots(axes, points, x, y, 0, group, groups)
    axes.set_xlabel(LABELS[x])
    axes.set_ylabel(LABELS[y])
    if y == "total_loss":
        _finish(axes, "y", [point.numbers[y] for point in points])
    _legend(axes, group, groups)
    return figure


def _dots(
    axes: Axes, points: Sequence[Point], x: str | None, y: str | None, place: float, group: str, groups: Sequence[str]
) -> None:
    """Draw points; at ``place`` on an axis that has no figure."""
    colour = dict(zip(groups, COLOURS, strict=False))
    axes.scatter(
        [point.numbers[x] if x else place for point in points],
        [point.numbers[y] if y else place for point in points],
        s=14,
        c=[colour.get(point.dimensions.get(group, ""), COLOURS[0]) for point in points],
        alpha=0.75,
        linewidths=0,
        rasterized=len(points) > VECTOR_POINTS,
    )


def _finish(axes: Axes, side: str, losses: Sequence[float]) -> None:
    """A logarithmic scale where the losses need one, and text that is never read as a formula."""
    if losses and min(losses) > 0 and max(losses) / min(losses) > LOG_FROM:
        (axes.set_xscale if side == "x" else axes.set_yscale)("log")
    else:
        axes.ticklabel_format(axis="x" if side == "x" else "y", style="plain", useOffset=False)
    plain(axes)


def _legend(axes: Axes, group: str, groups: Sequence[str]) -> None:
    for value, colour in zip(groups, COLOURS, strict=False):
        axes.scatter([], [], s=14, c=colour, linewidths=0, label=shorten(value).lstrip("_"))
    if groups:
        legend = axes.legend(title=group, loc="upper left", bbox_to_anchor=(1, 1))
        for text in legend.get_texts():
            text.set_parse_math(False)
