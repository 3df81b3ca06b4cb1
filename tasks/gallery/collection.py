"""What runs have to show: their results, the originals and styles that these share, and what is known of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from stylebatch.tasks.gallery.layout import Layout, lay_out
from stylebatch.tasks.gallery.originals import Originals
from stylebatch.tasks.gallery.plots import Point
from stylebatch.tasks.gallery.quality import FigureKey, Figures, figure_key, judging_layers
from stylebatch.tasks.gallery.thumbnails import THUMBNAIL, Copy, copy_of
from stylebatch.tasks.request.cells import as_text
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.runs.run_folder import Run, RunRow, read_curves

Blend = tuple[tuple[int, float], ...]  # places of style pictures, with their weights


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
        self.contents, self.styles = Originals(self._pictures), Originals(self._pictures)
        self.blends: dict[Blend, int] = {}  # the same pictures with the same weights are one style
        self.results = [self._result(place, row) for place, run in enumerate(runs) for row in run.rows]
        self.layers = judging_layers(
            layer
            for result in self.results
            for setting in ("content_layers", "style_layers")
            for layer in result.row.settings.get(setting) or ()
        )
        self.layout = self._lay_out()

    def _result(self, run: int, row: RunRow) -> Result:
        blend = tuple((self.styles.place(style), style.weight) for style in row.styles)
        style = self.blends.setdefault(blend, len(self.blends))
        return Result(row, run, self.contents.place(row.original), style)

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
        blends = list(self.blends)
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
                copies.append(self.contents.copy(result.content, size))
                copies += [self.styles.copy(place, size) for place, _ in blends[result.style]]
            needed |= {copy.target: copy for copy in copies if copy}
        return list(needed.values())

    def style_labels(self, as_people_write: bool = False) -> list[str]:
        """The name of each style; that of a blend names its pictures with their weights."""
        labels = self.styles.labels(as_people_write)
        return [
            " + ".join(labels[place] if weight == 1 else f"{labels[place]} ({weight:g})" for place, weight in blend)
            or "no style"
            for blend in self.blends
        ]

    def points(self, figures: Mapping[FigureKey, Figures]) -> list[Point]:
        """The finished results as the plots take them."""
        labels = self.style_labels()
        return [
            Point(
                labels[result.style],
                result.settings | {"run": self.runs[result.run].name},
                self.numbers(result.row, figures),
            )
            for result in self.results
            if result.row.result
        ]

    def numbers(self, row: RunRow, figures: Mapping[FigureKey, Figures]) -> dict[str, float]:
        """What is known of a finished row. What the gallery has judged by its own layers wins over the report."""
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

    def pieces(self, size: int) -> Iterator[list[dict[str, list[float]] | None]]:
        """The loss curves of the results, ``size`` of them at a time; nothing for what was not traced."""
        traces = [read_curves(run.folder) for run in self.runs]
        for start in range(0, len(self.results), size):
            here = self.results[start : start + size]
            yield [traces[result.run].get(result.row.key) for result in here]
