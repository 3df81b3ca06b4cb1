"""A manifest's rows as a manifest of their own: globs, products and draws written out, to be looked at and kept."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stylebatch.tasks.errors import BadInput, BadRequest, told
from stylebatch.tasks.request.cells import as_text
from stylebatch.tasks.request.manifest import COLUMNS, Manifest, Unreadable, is_empty
from stylebatch.tasks.request.own_columns import EXTRA, own_cells
from stylebatch.tasks.request.renamed import Rename, renamed
from stylebatch.tasks.request.text import as_utf8
from stylebatch.tasks.request.typed import typed
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place, absolute, is_url


def write_rows(manifest: Manifest, out: Place) -> None:
    """Write the rows as Parquet. Relative names are made relative to the folder of ``out``.

    Raises:
        BadRequest: ``out`` has another ending, is the manifest itself, or cannot be written.
    """
    if out.suffix.lower() != ".parquet":
        raise BadRequest(f"--out {out}: the rows are written as Parquet; give it a name that ends in .parquet")
    if absolute(out) == absolute(manifest.path):
        raise BadRequest(f"--out {out}: it is the manifest itself; give another name")
    rename = _renaming(manifest, out.parent)
    own = [own_cells(row) for row in manifest.rows]
    rows = [_texts(renamed(row, rename), cells) for row, cells in zip(manifest.rows, own, strict=True)]
    given = {name for row in rows for name in row}
    columns = {
        name: pa.array([row.get(name) for row in rows], _TYPES.get(name, pa.string()))
        for name in COLUMNS
        if name in given
    }
    for name in dict.fromkeys(name for row in own for name in row):
        columns[name] = typed([None if is_empty(row.get(name)) else row[name] for row in own])
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    try:
        write_atomically(out, buffer.getvalue())
    except (BadInput, OSError) as error:
        raise BadRequest(f"cannot write to {out.parent}: {told(error)}; choose another place with --out") from None


_TYPES = {"next_styles": pa.list_(pa.string())}


def _texts(row: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The cells that are no own columns, as a CSV would have them, but for the list of next styles."""
    return {
        name: [as_utf8(as_text(one)) for one in cell] if name in _TYPES else as_utf8(as_text(cell))
        for name, cell in row.items()
        if name != EXTRA and name not in own and not is_empty(cell) and not isinstance(cell, Unreadable)
    }


def _renaming(manifest: Manifest, folder: Place) -> Rename:
    """What gives a file that the manifest names the name that it has from within ``folder``."""
    above = manifest.folder
    if folder == above:
        return str

    def rename(name: str) -> str:
        if is_url(name) or Path(name).is_absolute():
            return name
        if isinstance(folder, Path) and isinstance(above, Path):
            return Path(os.path.relpath(above / name, folder)).as_posix()
        return str(absolute(manifest.locate(name)))

    return rename
