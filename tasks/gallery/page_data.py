"""What the page's scripts read: the results in columns, since tens of thousands of them have to open at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stylebatch.tasks.gallery.collection import Collection, Result
from stylebatch.tasks.gallery.comparison import needs
from stylebatch.tasks.gallery.originals import Originals
from stylebatch.tasks.gallery.plots import Plot
from stylebatch.tasks.gallery.quality import FigureKey, Figures
from stylebatch.tasks.gallery.thumbnails import THUMBNAIL, size_of
from stylebatch.tasks.request.cells import as_text
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.runs.asked import CHOSEN
from stylebatch.tasks.runs.run_folder import Run

CURVES = 500  # in a piece
# What a result can be sorted by, in this order, with which of two values is the better one.
FIGURES = {
    "structure": ("structure", "higher"),
    "style_distance": ("style distance", "lower"),
    "content_similarity": ("content similarity", "higher"),
    "total_loss": ("total loss", "lower"),
    "content_loss": ("content loss", "lower"),
    "style_loss": ("style loss", "lower"),
    "tv_loss": ("total variation loss", "lower"),
    "seconds": ("seconds", "lower"),
    "steps": ("steps", "lower"),
}
Variants = dict[tuple[tuple[str, str], ...], int]  # each combination of settings once, with its place


@dataclass(frozen=True)
class Look:
    """How a gallery presents itself.

    Attributes:
        title: its heading; without one, the runs' names.
        presentation: for people who are shown results: names as one would write them, and no figures.
    """

    title: str = ""
    presentation: bool = False


def page_data(
    collection: Collection,
    look: Look,
    missing: Mapping[str, str],
    figures: Mapping[FigureKey, Figures],
    plots: Sequence[Plot],
) -> dict[str, Any]:
    """The data of a page, in JSON's types; `web/data.js` says what the scripts make of it.

    Args:
        missing: name of each copy that could not be made, to the reason.
    """
    results = [one for one in collection.results if one.row.result or not look.presentation]
    settings: Variants = {}
    names: dict[str, int] = {}
    pairs = [_pair(result, settings, names) for result in results]
    numbers = [] if look.presentation else [collection.numbers(result.row, figures) for result in results]
    layers = list(dict.fromkeys(layer for result in results for layer in result.row.layers))
    by_layer = {f"style_loss_{layer}": (f"style loss at {layer}", "lower") for layer in layers}
    shown = {
        name: meaning
        for name, meaning in (FIGURES | by_layer).items()
        if any(found.get(name) for found in numbers)  # a total variation that nobody asked for is zero everywhere
    }
    layout = collection.layout
    return {
        "title": look.title or ", ".join(run.name for run in collection.runs),
        "presentation": look.presentation,
        "gallery": _name_of(collection.runs),
        "thumbnail": THUMBNAIL,
        "runs": [_run(run) for run in collection.runs],
        "values": layout.values,
        "rows": layout.rows,
        "columns": layout.columns,
        "rowLabels": layout.row_labels,
        "columnLabels": layout.column_labels,
        "view": "matrix" if layout.dense else "list",
        "contents": _shown(collection.contents, look),
        "pictures": _shown(collection.styles, look),
        "styles": [
            {"label": label, "parts": blend}
            for label, blend in zip(collection.style_labels(look.presentation), collection.blends, strict=True)
        ],
        "settings": [dict(texts) for texts in settings],
        "manifest": _of_manifest(settings, layout.values),
        "names": list(names),
        "layers": collection.layers,
        "figures": [
            {"name": name, "label": label, "better": better, "needs": needs(name)}
            for name, (label, better) in shown.items()
        ],
        "numbers": {name: [_rounded(found.get(name)) for found in numbers] for name in shown},
        "missing": missing,
        "count": len(pairs),
        "pairs": _columns(pairs),
        "errors": {
            place: result.row.error or result.row.error_type
            for place, result in enumerate(results)
            if result.row.status == "failed"
        },
        "curves": 0 if look.presentation else CURVES,
        "plots": [] if look.presentation else [asdict(plot) for plot in plots],
    }


def _pair(result: Result, settings: Variants, names: dict[str, int]) -> dict[str, Any]:
    row = result.row
    return {
        "id": row.id,
        "run": result.run,
        "content": result.content,
        "style": result.style,
        "contentName": names.setdefault(row.content, len(names)),
        "styleName": names.setdefault(row.style, len(names)),
        "status": row.status,
        "settings": settings.setdefault(tuple(result.settings.items()), len(settings)),
        "masked": row.masked,
        "picture": row.result.sha256[:32] if row.result and row.result.sha256 else None,
        "ending": row.result.path.suffix if row.result else None,
        "width": row.width,
        "height": row.height,
    }


def _columns(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The pairs by columns; a column in which all are the same is that one value."""
    columns = {name: [pair[name] for pair in pairs] for name in (pairs[0] if pairs else ())}
    return {name: column if any(one != column[0] for one in column) else column[0] for name, column in columns.items()}


def _name_of(runs: Sequence[Run]) -> str:
    """What the browser keeps the picks by: the same for a gallery that is written again."""
    return hashlib.sha256("\n".join(str(run.folder.resolve()) for run in runs).encode()).hexdigest()[:16]


def _of_manifest(settings: Variants, values: Mapping[str, Sequence[str]]) -> list[str]:
    """The settings that picks have to name: those that differ, and those that are not as they would be anyway."""
    usual = {
        name: as_text(field.get_default(call_default_factory=True, validated_data={}))
        for name, field in Settings.model_fields.items()
    }
    unusual = {name for texts in settings for name, text in texts if usual.get(name) != text and name not in CHOSEN}
    return [name for name in Settings.model_fields if name in unusual or name in values]


def _shown(originals: Originals, look: Look) -> list[dict[str, Any]]:
    shown = []
    for place, label in enumerate(originals.labels(look.presentation)):
        one: dict[str, Any] = {"label": label}
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
