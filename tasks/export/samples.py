"""The pictures of a run with what a data set says of each: its file's name, its label, and the report's figures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.export.labels import folder_of, label_of, names_of_styles
from stylebatch.tasks.runs.process import state_of
from stylebatch.tasks.runs.run_folder import FIGURES, LOSSES
from stylebatch.tasks.storage.files import has_digest, read_bytes
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place

# What is told of each picture, as far as the report has it; then come people's own columns, which follow `row` there.
TOLD = ("id", "content", "style", "width", "height", *FIGURES, *LOSSES, "key")
_LAST = "row"
_LABEL = "label"
_AT_ONCE = 1000  # rows as Python's objects


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a data set.

    Attributes:
        name: of its file, relative to the data set's folder, with ``/`` between folders.
        source: where the run has it; ``sha256``: what it must have as its digest.
        told: what is told of it, by column; the label is among it.
    """

    name: str
    source: Place
    sha256: str
    told: dict[str, Any]

    @property
    def label(self) -> str:
        """What it is labelled with."""
        return str(self.told[_LABEL])

    @property
    def ending(self) -> str:
        """Of its file, without the dot."""
        return self.name.rpartition(".")[2]

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            BadInput: it is not there, or not what the run has written.
        """
        try:
            data = read_bytes(self.source)
        except FileNotFoundError:
            raise BadInput("is not there any more") from None
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise BadInput("was changed since the run")
        return data

    def check(self) -> None:
        """As `read`, for a file that is taken as it is.

        Raises:
            BadInput: as `read`.
        """
        try:
            if has_digest(self.source, self.sha256):
                return
        except FileNotFoundError:
            raise BadInput("is not there any more") from None
        raise BadInput("was changed since the run")


class Samples:
    """The pictures of the run in ``folder``, in the report's order.

    Attributes:
        failed: the ids of the rows that have none, since they failed.
        left: rows that the run did not come to.
        labels: all there are, sorted.

    Raises:
        BadRequest: there is no run, it still goes on, it has no pictures, or two of them would be one file.
    """

    def __init__(self, folder: Place) -> None:
        self._folder = folder
        run, report = _read(folder)
        self.left = int(run["rows"]) - report.num_rows
        names = report.column_names
        self._names = [name for name in TOLD if name in names]
        self._own = [name for name in names[names.index(_LAST) + 1 :] if name != _LABEL]
        has_picture = pc.is_valid(report["output"])
        self.failed: list[str] = report.filter(pc.invert(has_picture))["id"].to_pylist()
        label = [_LABEL] if _LABEL in names else []
        self._table = report.filter(has_picture).select([*self._names, *label, *self._own, "output", "output_sha256"])
        self._styles = names_of_styles(self._table["style"].unique().to_pylist())
        self.labels = self._check()

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[Sample]:
        for row in self._rows():
            label = label_of(row, self._styles)
            told = {
                "file_name": _name(row, label),
                **{name: row[name] for name in self._names},
                _LABEL: label,
                **{name: row[name] for name in self._own},
            }
            yield Sample(told["file_name"], self._folder / row["output"], row["output_sha256"], told)

    @property
    def schema(self) -> pa.Schema:
        """What is told of each picture, in this order, with the report's types."""
        types, text = self._table.schema, pa.string()
        kept = [types.field(name) for name in self._names], [types.field(name) for name in self._own]
        return pa.schema([("file_name", text), *kept[0], (_LABEL, text), *kept[1]])

    def _rows(self, *columns: str) -> Iterator[dict[str, Any]]:
        """The report's rows, by these columns as far as there are such, or by all."""
        asked = [name for name in self._table.column_names if name in columns or not columns]
        for batch in self._table.select(asked).to_batches(max_chunksize=_AT_ONCE):
            yield from batch.to_pylist()

    def _check(self) -> list[str]:
        """The labels, sorted, once it is sure that each has a folder of its own, and each picture a file."""
        if not len(self):
            raise BadRequest(f"the run in {self._folder} has no pictures to export; stylebatch status says why")
        labels: set[str] = set()
        names: set[str] = set()
        folders: dict[str, str] = {}
        for row in self._rows("id", "style", _LABEL, "output"):
            label = label_of(row, self._styles)
            labels.add(label)
            name = _name(row, label)
            if name.casefold() in names:
                raise BadRequest(f"two pictures would be one file, {name}; give their rows other ids")
            names.add(name.casefold())
            if "/" not in row["id"] and (other := folders.setdefault(folder_of(label).casefold(), label)) != label:
                raise BadRequest(f"the labels {other!r} and {label!r} would be one folder; rename one of them")
        return sorted(labels)


def _read(folder: Place) -> tuple[dict[str, Any], pa.Table]:
    try:
        run = json.loads(read_bytes(folder / "run.json"))
        report = read_parquet(read_bytes(folder / "report.parquet"))
        state = state_of(run)
    except FileNotFoundError:
        raise BadRequest(f"there is no run in {folder}: it has no run.json with its report.parquet") from None
    except (OSError, BadInput, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        raise BadRequest(f"the run in {folder} cannot be read: {error}") from None
    if state == "running":
        raise BadRequest(f"a run is going on in {folder}; wait for its end, or stop it")
    return run, report


def _name(row: dict[str, Any], label: str) -> str:
    """An id with folders is a path already; any other gets its label's folder, so that this is its class."""
    ending = PurePosixPath(row["output"]).suffix
    return f"{row['id']}{ending}" if "/" in row["id"] else f"{folder_of(label)}/{row['id']}{ending}"
