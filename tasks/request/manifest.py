"""The manifest: a table of pairs, read from any of its formats; nothing is checked but the names of its columns."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.request.collections import members, pattern_of
from stylebatch.tasks.request.csv_rows import WrongCsv, read_csv_rows
from stylebatch.tasks.request.json_rows import WrongJson, read_json_rows
from stylebatch.tasks.request.own_columns import PREFIX, is_own
from stylebatch.tasks.request.row_table import RowTable
from stylebatch.tasks.request.settings import Settings, nearest
from stylebatch.tasks.request.styles import parse_styles, written
from stylebatch.tasks.request.text import as_text
from stylebatch.tasks.request.yaml_rows import read_yaml_rows
from stylebatch.tasks.request.yaml_text import WrongYaml
from stylebatch.tasks.storage import cache
from stylebatch.tasks.storage.parquet import parquet_size, read_parquet
from stylebatch.tasks.storage.places import Place, is_web, join, without_secrets

OTHERS = ("masks", "keep", "next_styles", "label", "extra", "note")
COLUMNS = ("id", "content", "style", *OTHERS, *Settings.model_fields)
REQUIRED = ("content", "style")
ROWS = 1_000_000
UNPACKED = 2_000_000_000  # bytes of a Parquet file's columns


@dataclass(frozen=True)
class Unreadable:
    """A cell that cannot be read, with what is wrong with it."""

    problem: str


@dataclass(frozen=True)
class Manifest:
    """The rows as they were written: a mapping of column to value each, nothing checked but the columns' names."""

    path: Place
    rows: Sequence[dict[str, Any]]
    allow_http: bool = False
    _located: dict[str, Place] = field(default_factory=dict, init=False, repr=False, compare=False)
    _members: dict[str, Sequence[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def folder(self) -> Place:
        """What relative paths are relative to."""
        return self.path.parent

    def locate(self, name: str) -> Place:
        """The file that a row calls ``name``: one object for all rows that do.

        Raises:
            BadInput: it is a URL that cannot be read from, or on the web and that is not allowed.
        """
        if name not in self._located:
            self._located[name] = join(self.folder, name, self.allow_http)
        return self._located[name]

    def pictures_of(self, style: str) -> Sequence[str]:
        """The names of a style's pictures: its own, or those of the collection that it is.

        Raises:
            BadInput: the collection has no pictures, or only one.
        """
        if not pattern_of(style):
            return (style,)
        if style not in self._members:
            self._members[style] = members(self.folder, style)
        return self._members[style]


def read_manifest(path: Place, allow_http: bool = False) -> Manifest:
    """Read CSV, JSON, JSON Lines, Parquet or YAML, by the file's ending.

    Args:
        allow_http: let it and its pictures be read from the web.

    Raises:
        BadRequest: there is no such file, it cannot be parsed, it has more than `ROWS` rows, or a column or setting
            has no known name.
    """
    readers: dict[str, Callable[[Place, Path], list[dict[str, Any]]]] = {
        ".csv": _read_csv,
        ".tsv": _read_csv,
        ".json": _read_json,
        ".jsonl": _read_json,
        ".parquet": _read_parquet,
        ".yaml": _read_yaml,
        ".yml": _read_yaml,
    }
    reader = readers.get(path.suffix.lower().partition("?")[0] if is_web(path) else path.suffix.lower())
    if reader is None:
        raise BadRequest(f"{path}: a manifest ends in {', '.join(readers)}, not in {path.suffix!r}")
    if is_web(path) and not allow_http:
        raise BadRequest(f"{path}: a manifest is not read over http(s) unless --allow-http is given")
    cache.forget()  # of what was seen for another request, others may have written newer versions
    try:
        with cache.as_file(path) as file:
            rows = reader(path, file)
    except BadRequest:
        raise
    except (WrongCsv, WrongJson, WrongYaml) as error:
        raise BadRequest(f"{path}: {without_secrets(str(error))}") from None
    except (FileNotFoundError, IsADirectoryError):
        raise BadRequest(f"there is no manifest {path}") from None
    except RecursionError:
        raise BadRequest(f"{path} cannot be read: its values are nested too deep") from None
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, csv.Error, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadRequest(f"{path} cannot be read: {reason}") from None
    if not rows:
        raise BadRequest(f"{path} has no rows")
    _refuse_more(path, len(rows))
    check_columns(path, rows)
    return Manifest(path, RowTable(rows), allow_http)


def _refuse_more(path: Place, rows: int) -> None:
    if rows > ROWS:
        more = "at least " if rows == ROWS + 1 else ""
        raise BadRequest(f"{path} asks for {more}{rows:,} rows, over the limit of {ROWS:,}; split it")


def _read_csv(path: Place, local: Path) -> list[dict[str, Any]]:
    return read_csv_rows(as_text(local.read_bytes()), REQUIRED, ROWS)


def _read_json(path: Place, local: Path) -> list[dict[str, Any]]:
    return read_json_rows(as_text(local.read_bytes()), ROWS)


def _read_parquet(path: Place, local: Path) -> list[dict[str, Any]]:
    about = parquet_size(local)
    _refuse_more(path, about.rows)
    if about.unpacked > UNPACKED:
        raise BadRequest(f"{path} unpacks to {about.unpacked / 1e9:.1f} GB, over the limit of {UNPACKED / 1e9:.0f} GB")
    table = read_parquet(local)
    for name in table.column_names:
        if table.column_names.count(name) > 1:
            raise BadRequest(f"{path} has two columns {name!r}; leave one out")
    columns = {name: _cells(table[name]) for name in table.column_names}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _cells(column: pa.ChunkedArray) -> list[Any]:
    """The values; one that Python has nothing for costs its row alone."""
    try:
        values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
    except Exception:  # an unknown time zone, a date beyond Python's, a map with a key twice
        return [_cell(value) for value in column]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        shared: dict[str | None, str | None] = {}  # most columns say few things, and a million rows are held
        return [shared.setdefault(value, value) for value in values]
    return values


def _cell(value: pa.Scalar) -> Any:
    try:
        return value.as_py(maps_as_pydicts="strict")
    except Exception as error:
        return Unreadable(f"cannot be read: {(str(error).splitlines() or [type(error).__name__])[0]}")


def _read_yaml(path: Place, local: Path) -> list[dict[str, Any]]:
    return read_yaml_rows(as_text(local.read_bytes()), path, partial(_refuse_more, path))


def check_columns(path: Place, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise `BadRequest`, naming ``path``, where a column has no known name, or one that is needed is not there."""
    names = {str(name): None for row in rows for name in row}  # a set that keeps the order
    required = f"; required are {' and '.join(REQUIRED)}" if any(name not in names for name in REQUIRED) else ""
    for name in names:
        if name == "regions":
            raise BadRequest(f"{path}: regions go into draw, for drawn styles; a row that names its styles has masks")
        if name not in COLUMNS and not is_own(name):
            own = f"; a column of your own is {PREFIX}{name}"
            raise BadRequest(f"{path}: there is no column or setting {name!r}{nearest(name, COLUMNS)}{required}{own}")
    for name in REQUIRED:
        if name not in names:
            raise BadRequest(f"{path} has no column {name!r}; its columns are {', '.join(names)}{required}")


def is_empty(value: Any) -> bool:
    """Whether a cell says nothing: JSON's null, an empty CSV field, or the NaN that pandas writes for a gap."""
    return value is None or value == "" or value != value


def names_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """Content and style of a row in the words of a report."""
    content, style = ("" if is_empty(row.get(name)) else row[name] for name in ("content", "style"))
    try:
        named = written(parse_styles(style)) if style else ""
    except BadInput:
        named = str(style)
    return without_secrets(str(content)), without_secrets(named)
