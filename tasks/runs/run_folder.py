"""A run as its folder has it: the rows of ``report.parquet`` with their originals, the curves of ``traces.parquet``.

Everything that is read here may come from another day, another version or another machine: what is missing is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.request.styles import styles_of
from stylebatch.tasks.runs.asked import asked_settings
from stylebatch.tasks.runs.changes import from_json
from stylebatch.tasks.runs.sources import Sources
from stylebatch.tasks.storage.files import read_bytes
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place, to_place

LAYER_COLUMN = "style_loss_"
LOSSES = ("total_loss", "content_loss", "style_loss", "tv_loss")
FIGURES = ("structure", "style_distance")
# Points of a curve that are kept: as many as its drawing has room for.
CURVE_POINTS = 60


@dataclass(frozen=True)
class Original:
    """A content or style picture: its name in the manifest, its file, and the digest that it had when it was used.

    A collection has the first of its ``members`` as its file, and the digest of all of them.
    """

    name: str
    path: Place
    sha256: str | None
    weight: float = 1.0
    members: tuple[Place, ...] = ()


@dataclass(frozen=True)
class RunRow:
    """One row of a report.

    ``style`` is as the report writes it, and ``styles`` are its pictures. ``settings`` are those that were asked for
    where the row failed, and empty where they are not known.
    """

    id: str
    content: str
    style: str
    status: str
    error_type: str
    error: str
    key: str
    result: Original | None
    original: Original
    styles: tuple[Original, ...]
    settings: Mapping[str, Any]
    losses: Mapping[str, float]
    layers: Mapping[str, float]
    figures: Mapping[str, float]
    masked: bool
    seconds: float | None
    steps: int | None
    width: int
    height: int


@dataclass(frozen=True)
class Run:
    """A run's folder: its name, how many rows were asked for, and the rows that have been settled."""

    folder: Place
    name: str
    asked: int
    updated_at: str
    rows: Sequence[RunRow]


def read_runs(folders: Sequence[Place], allow_http: bool = False) -> list[Run]:
    """Read runs; each gets a name of its own, the end of its path.

    Args:
        allow_http: let originals be read from the web.

    Raises:
        BadRequest: there is no run in a folder, its files cannot be read, or a folder is named twice.
    """
    resolved = [folder.resolve() for folder in folders]
    for folder in resolved:
        if resolved.count(folder) > 1:
            raise BadRequest(f"{folder} is named twice; name each run once")
    parts = 1
    while len({folder.parts[-parts:] for folder in resolved}) < len(resolved):
        parts += 1
    names = [Path(*folder.parts[-parts:]).as_posix() for folder in resolved]
    return [_read_run(folder, name, allow_http) for folder, name in zip(folders, names, strict=True)]


def _read_run(folder: Place, name: str, allow_http: bool) -> Run:
    try:
        run = json.loads(read_bytes(folder / "run.json"))
        report = read_parquet(read_bytes(folder / "report.parquet")).to_pylist()
        manifest = to_place(run["manifest"])
        asked = asked_settings(manifest, run["set"], from_json(run["set_rows"]), report)
        locate = Sources(manifest.parent, allow_http)
        rows = [_row(folder, locate, row, asked.get(row["id"], {})) for row in report]
        return Run(folder, name, run["rows"], run["updated_at"], rows)
    except FileNotFoundError:
        raise BadRequest(f"there is no run in {folder}: it has no run.json with its report.parquet") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, pa.ArrowException) as error:
        raise BadRequest(f"the run in {folder} cannot be read: {error}") from None


def _row(folder: Place, locate: Sources, row: dict[str, Any], asked: Mapping[str, Any]) -> RunRow:
    output = row.get("output")
    content, style = row.get("content") or "", row.get("style") or ""
    return RunRow(
        id=row["id"],
        content=content,
        style=style,
        status=row["status"],
        error_type=row.get("error_type") or "",
        error=row.get("error") or "",
        key=row.get("key") or "",
        result=Original(output, folder / output, row.get("output_sha256")) if output else None,
        original=Original(content, locate(content), row.get("content_sha256")),
        styles=tuple(_styles(style, locate, row.get("style_sha256"))),
        settings=json.loads(row["settings"]) if row.get("settings") else asked,
        losses={name: row[name] for name in LOSSES if row.get(name) is not None},
        layers={
            name.removeprefix(LAYER_COLUMN): value
            for name, value in row.items()
            if name.startswith(LAYER_COLUMN) and value is not None
        },
        figures={name: row[name] for name in FIGURES if row.get(name) is not None},
        masked=bool(row.get("masks_sha256")),
        seconds=row.get("seconds"),
        steps=row.get("steps"),
        width=row.get("width") or 0,
        height=row.get("height") or 0,
    )


def _styles(style: str, locate: Sources, sha256: str | None) -> list[Original]:
    """The pictures of a style; the digests of several are joined with ``+`` in the same order."""
    named = styles_of(style) if style else ()
    digests: list[str | None] = [*sha256.split("+")] if sha256 else []
    if len(digests) != len(named):
        digests = [None] * len(named)
    found = []
    for one, digest in zip(named, digests, strict=True):
        members = locate.members(one.name)
        found.append(Original(one.name, members[0] if members else locate(one.name), digest, one.weight, members))
    return found


def read_curves(folder: Place) -> dict[str, dict[str, list[float]]]:
    """The loss over the steps of each key that ``traces.parquet`` has, thinned out to `CURVE_POINTS`.

    Returns:
        Key to ``step`` and the losses, lists of one length; nothing where the run was not traced.

    Raises:
        BadRequest: the file is there and cannot be read.
    """
    names = ["step", "total_loss", "content_loss", "style_loss"]
    file = folder / "traces.parquet"
    try:
        table = read_parquet(read_bytes(file), columns=["key", *names])
        table = table.sort_by([("key", "ascending"), ("step", "ascending")])
    except FileNotFoundError:
        return {}
    except (OSError, BadInput, KeyError, pa.ArrowException) as error:
        raise BadRequest(f"{file} cannot be read: {error}") from None
    keys = table["key"].to_numpy(zero_copy_only=False)
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in names}
    starts: list[int] = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]).tolist() if len(keys) else []
    curves = {}
    for start, end in pairwise([*starts, len(keys)]):
        # Two rows may share a key, and then its steps are there twice.
        _, first = np.unique(columns["step"][start:end], return_index=True)
        kept = (
            start + first[np.unique(np.linspace(0, len(first) - 1, min(CURVE_POINTS, len(first))).round().astype(int))]
        )
        curves[str(keys[start])] = {name: [_short(value) for value in columns[name][kept]] for name in names}
    return curves


def _short(value: float) -> float:
    """Four digits, which are more than a drawing shows, and no decimals where there are none: a page has many."""
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() else short
