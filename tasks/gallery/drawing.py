"""How all plots look: colours, lines, names and files."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe, Ito (2008): told apart by colour-blind people too.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b8a000")
NAME = 34  # characters of the longest name
LOOK: dict[Any, Any] = {
    "svg.hashsalt": "stylebatch",  # the same plot gives the same file
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.dpi": 200,
}
LABELS = {
    "total_loss": "total loss",
    "structure": "structure",
    "content_similarity": "content similarity (SSIM)",
    "style_distance": "style distance",
    "seconds": "seconds",
}


def shorten(text: str) -> str:
    """The text, cut in its middle where it is too long: names often differ at their ends."""
    return text if len(text) <= NAME else f"{text[: NAME // 2]}…{text[1 - NAME // 2 :]}"


def plain(axes: Axes) -> None:
    """Let no text be read as a formula."""
    for label in (*axes.get_yticklabels(), *axes.get_xticklabels(), axes.title):
        if not label.get_text().startswith("$\\mathdefault"):  # matplotlib's own, at powers of ten
            label.set_parse_math(False)


def as_svg(figure: Figure, title: str) -> bytes:
    """The figure's file; the same each time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Title": title}, bbox_inches="tight")
    return buffer.getvalue()
