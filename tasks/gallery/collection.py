"""The gallery: what runs have to show, collected into a page's data, and written as a folder that can be sent.

The folder holds ``index.html``, ``pictures/``, ``plots/`` and ``figures.parquet``, and needs nothing outside itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.gallery.comparison import needs
from stylebatch.tasks.gallery.layout import Layout, as_text, lay_out
from stylebatch.tasks.gallery.originals import Originals
from stylebatch.tasks.gallery.page import GENERATOR, render_page
from stylebatch.tasks.gallery.plots import Plot, Point
from stylebatch.tasks.gallery.quality import FigureKey, Figures, figure_key, judging_layers
from stylebatch.tasks.gallery.thumbnails import THUMBNAIL, Copy, copy_of, size_of
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.runs.run_folder import Run, RunRow, read_curves
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place

COPY = re.compile(r"[0-9a-f]{32}(-\d+\.webp|\.png)")
# What a result can be sorted by, in this order, with which of two values is the better one.
FIGURES = {
    "total_loss": ("total loss", "lower"),
    "content_loss": ("content loss", "lower"),
    "style_loss": ("style loss", "lower"),
    "tv_loss": ("total variation loss", "lower"),
    "structure": ("structure", "higher"),
    "content_similarity": ("content similarity", "higher"),
    "style_distance": ("style distance", "lower"),
    "seconds": ("seconds", "lower"),
    "steps": ("steps", "lower"),
}
Blend = tuple[tuple[int, float], ...]  # places of style pictures, with their weights


def default_folder(run_dirs: Sequence[Place]) -> Place:
    """Where a gallery goes when nobody says: into its run, or beside the first of several."""
    if len(run_dirs) == 1:
        return run_dirs[0] / "gallery"
    names = [folder.resolve().name for folder in run_dirs]
    more = [f"{len(names) - 3}-more"] if len(names) > 3 else []
    return run_dirs[0].parent / "-".join(["gallery", *names[:3], *more])


def prepare_folder(folder: Path) -> None:
    """Make the gallery's folder.

    Raises:
        BadRequest: it cannot be made, or holds a page that is no gallery.
    """
    page = folder / "index.html"
    try:
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        if page.exists() and GENERATOR not in page.read_text("utf-8", "replace")[:4000]:
            raise BadRequest(f"{page} is a page that stylebatch did not write; choose another folder with --out")
    except OSError as error:
        raise BadRequest(f"cannot write to {folder}: {error.strerror}; choose another with --out") from None


@dataclass(frozen=True)
class Result:
    """One row, with the places of its run and of its originals."""

    row: RunRow
    run: int
    content: int
    style: int

    @cached_property
    def settings(self) -> dict[str, str]:
        """Its settings as texts."""
        return {name: as_text(value) for name, value in self.row.settings.items()}


class Collection:
    """What a gallery in ``folder`` shows of some runs."""

    def __init__(self, runs: Sequence[Run], folder: Path) -> None:
        self.runs = runs
        self.folder = folder
        self._pictures = folder / "pictures"
        self._contents, self._styles = Originals(self._pictures), Originals(self._pictures)
        self._blends: dict[Blend, int] = {}  # the same pictures with the same weights are one style
        self.results = [self._result(place, row) for place, run in enumerate(runs) for row in run.rows]
        self.layers = judging_layers(
            layer
            for result in self.results
            for setting in ("content_layers", "style_layers")
            for layer in result.row.settings.get(setting) or ()
        )
        self.layout = self._lay_out()

    def _result(self, run: int, row: RunRow) -> Result:
        blend = tuple((self._styles.place(style), style.weight) for style in row.styles)
        style = self._blends.setdefault(blend, len(self._blends))
        return Result(row, run, self._contents.place(row.original), style)

    def _lay_out(self) -> Layout:
        items = [
            {
                **result.settings,
                "content": str(result.content),
                "style": str(result.style),
                "run": self.runs[result.run].name,
            }
            for result in self.results
        ]
        found = dict.fromkeys(name for result in self.results for name in result.row.settings)
        known = [name for name in Settings.model_fields if name in found]
        return lay_out(items, list(dict.fromkeys([*known, *found])))

    @property
    def finished(self) -> list[RunRow]:
        """The rows that have a picture."""
        return [result.row for result in self.results if result.row.result]

    def copies(self) -> list[Copy]:
        """Every copy that the page shows, each once."""
        needed: dict[Path, Copy] = {}
        blends = list(self._blends)
        for result in self.results:
            row = result.row
            sizes = [THUMBNAIL]
            copies: list[Copy | None] = []
            if row.result and row.result.sha256:
                sizes.append(max(row.width, row.height))
                copies += [
                    copy_of(row.result.path, row.result.sha256, self._pictures, size) for size in (None, THUMBNAIL)
                ]
            for size in sizes:
                copies.append(self._contents.copy(result.content, size))
                copies += [self._styles.copy(place, size) for place, _ in blends[result.style]]
            needed |= {copy.target: copy for copy in copies if copy}
        return list(needed.values())

    def style_labels(self) -> list[str]:
        """The name of each style; that of a blend names its pictures with their weights."""
        labels = self._styles.labels()
        return [
            " + ".join(labels[place] if weight == 1 else f"{labels[place]} ({weight:g})" for place, weight in blend)
            or "no style"
            for blend in self._blends
        ]

    def points(self, figures: Mapping[FigureKey, Figures]) -> list[Point]:
        """The finished results as the plots take them."""
        labels = self.style_labels()
        return [
            Point(
                labels[result.style],
                result.settings | {"run": self.runs[result.run].name},
                self._numbers(result.row, figures),
            )
            for result in self.results
            if result.row.result
        ]

    def _numbers(self, row: RunRow, figures: Mapping[FigureKey, Figures]) -> dict[str, float]:
        judged = figures.get(figure_key(row, self.layers))
        given = {
            **row.losses,
            **{f"style_loss_{layer}": loss for layer, loss in row.layers.items()},
            **row.figures,
            **{name: value for name, value in (asdict(judged) if judged else {}).items() if value is not None},
            "seconds": row.seconds,
            "steps": row.steps,
        }
        return {name: value for name, value in given.items() if value is not None and math.isfinite(value)}

    def write(self, missing: Mapping[str, str], figures: Mapping[FigureKey, Figures], plots: Sequence[Plot]) -> Path:
        """Write the page, and remove the pictures that no row shows any more.

        Args:
            missing: name of each copy that could not be made, to the reason.

        Returns:
            The page.
        """
        page = self.folder / "index.html"
        traces = [read_curves(run.folder) for run in self.runs]
        curves = [
            {**traces[result.run][result.row.key]} if result.row.key in traces[result.run] else None
            for result in self.results
        ]
        write_atomically(page, render_page(self._data(missing, figures, plots), curves).encode())
        used = {copy.target.name for copy in self.copies()}
        for file in self._pictures.iterdir():
            if COPY.fullmatch(file.name) and file.name not in used:
                file.unlink()
        return page

    def _data(
        self, missing: Mapping[str, str], figures: Mapping[FigureKey, Figures], plots: Sequence[Plot]
    ) -> dict[str, Any]:
        """What the page's scripts read; `web/data.js` says what they make of it."""
        settings: dict[tuple[tuple[str, str], ...], int] = {}  # each combination once
        pairs = [self._pair(result, settings) for result in self.results]
        numbers = [self._numbers(result.row, figures) for result in self.results]
        layers = list(dict.fromkeys(layer for result in self.results for layer in result.row.layers))
        by_layer = {f"style_loss_{layer}": (f"style loss at {layer}", "lower") for layer in layers}
        shown = {
            name: meaning
            for name, meaning in (FIGURES | by_layer).items()
            if any(found.get(name) for found in numbers)  # a total variation that nobody asked for is zero everywhere
        }
        return {
            "title": ", ".join(run.name for run in self.runs),
            "thumbnail": THUMBNAIL,
            "runs": [_run(run) for run in self.runs],
            "values": self.layout.values,
            "rows": self.layout.rows,
            "columns": self.layout.columns,
            "rowLabels": self.layout.row_labels,
            "columnLabels": self.layout.column_labels,
            "view": "matrix" if self.layout.dense else "list",
            "contents": self._shown(self._contents),
            "pictures": self._shown(self._styles),
            "styles": [
                {"label": label, "parts": blend} for label, blend in zip(self.style_labels(), self._blends, strict=True)
            ],
            "settings": [dict(texts) for texts in settings],
            "layers": self.layers,
            "figures": [
                {"name": name, "label": label, "better": better, "needs": needs(name)}
                for name, (label, better) in shown.items()
            ],
            "numbers": {name: [_rounded(found.get(name)) for found in numbers] for name in shown},
            "missing": missing,
            "pairs": pairs,
            "plots": [asdict(plot) for plot in plots],
        }

    def _pair(self, result: Result, settings: dict[tuple[tuple[str, str], ...], int]) -> dict[str, Any]:
        row = result.row
        pair: dict[str, Any] = {
            "id": row.id,
            "run": result.run,
            "content": result.content,
            "style": result.style,
            "status": row.status,
        }
        if result.settings:
            pair["settings"] = settings.setdefault(tuple(result.settings.items()), len(settings))
        if row.result and row.result.sha256:
            pair |= {"picture": row.result.sha256[:32], "width": row.width, "height": row.height}
        if row.status == "failed":
            pair["error"] = row.error or row.error_type
        return pair

    def _shown(self, originals: Originals) -> list[dict[str, Any]]:
        shown = []
        for place, (original, label) in enumerate(zip(originals.all, originals.labels(), strict=True)):
            one: dict[str, Any] = {"label": label, "name": original.name}
            copy = originals.copy(place, THUMBNAIL)
            if copy and copy.target.exists():
                one["width"], one["height"] = size_of(copy.target)
                one["picture"] = copy.sha256[:32]
            shown.append(one)
        return shown


def _run(run: Run) -> dict[str, Any]:
    statuses = [row.status for row in run.rows]
    return {
        "name": run.name,
        "asked": run.asked,
        "updated": run.updated_at,
        "counts": {status: statuses.count(status) for status in ("completed", "cached", "failed")},
    }


def _rounded(value: float | None) -> float | None:
    """Five digits: more than anyone compares by, and half the page's size."""
    return None if value is None else float(f"{value:.5g}")
