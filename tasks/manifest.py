"""The manifest: read a table of pairs, check every row before any work is done, and say what is wrong with which."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pydantic import ValidationError

from tasks.errors import BadInput, BadRequest
from tasks.nst.layers import minimum_side
from tasks.pictures import header_size, load_picture, scaled_size
from tasks.settings import Settings, check_settings, nearest, problems

COLUMNS = ("id", "content", "style", *Settings.model_fields)
YAML_KEYS = ("defaults", "pairs", "contents", "styles")
LONGEST_ID = 120
SAFE_ID = re.compile(r"\w[\w .@+=,-]*", re.ASCII)
# Names that Windows keeps for devices, whatever their ending.
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Manifest:
    """The rows as they were written: a mapping of column to value each, nothing checked but the columns' names."""

    path: Path
    rows: list[dict[str, Any]]

    @property
    def folder(self) -> Path:
        """What relative paths are relative to."""
        return self.path.parent

    def locate(self, name: str) -> Path:
        """The file that a row calls ``name``."""
        return self.folder / name


@dataclass(frozen=True)
class Pair:
    """One good row. ``content`` and ``style`` are as the manifest has them; ``id`` is empty where it gives none."""

    row: int
    id: str
    content: str
    style: str
    settings: Settings


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be carried out, with the first reason to be shown for each column."""

    row: int
    id: str
    content: str
    style: str
    problems: tuple[tuple[str, str], ...]

    @property
    def message(self) -> str:
        """All that is wrong, in one line."""
        return "; ".join(f"{column}: {message}" for column, message in self.problems)


def read_manifest(path: Path) -> Manifest:
    """Read CSV, JSON Lines, Parquet or YAML, by the file's ending.

    Raises:
        BadRequest: there is no such file, it cannot be parsed, or a column or setting has no known name.
    """
    readers: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
        ".csv": _read_csv,
        ".jsonl": _read_json_lines,
        ".parquet": _read_parquet,
        ".yaml": _read_yaml,
        ".yml": _read_yaml,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadRequest(f"{path}: a manifest ends in {', '.join(readers)}, not in {path.suffix!r}")
    if not path.is_file():
        raise BadRequest(f"there is no manifest {path}")
    try:
        rows = reader(path)
    except BadRequest:
        raise
    except (OSError, ValueError, yaml.YAMLError, csv.Error, pa.ArrowException) as error:
        raise BadRequest(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    if not rows:
        raise BadRequest(f"{path} has no rows")
    _check_columns(path, rows)
    return Manifest(path, rows)


def _read_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows: list[dict[str | None, Any]] = list(csv.DictReader(file, restkey=None, strict=True))
    for number, row in enumerate(rows, start=1):
        if None in row:
            raise BadRequest(f"{path}, row {number}: more fields than columns; put a field with a comma in quotes")
    # A comma at the end of the header, as spreadsheets leave it, makes a column without a name.
    return [{str(name): value for name, value in row.items() if name or value} for row in rows]


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _read_json_lines(path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(path.read_text("utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadRequest(f"{path}, line {number}: not JSON: {error.msg}") from None
        if not isinstance(row, dict):
            raise BadRequest(f"{path}, line {number}: a row is an object, {{...}}")
        rows.append(row)
    return rows


def _read_yaml(path: Path) -> list[dict[str, Any]]:
    """``pairs``, a list of rows, and the product of ``contents`` and ``styles``; ``defaults`` go to all of them."""
    document = yaml.safe_load(path.read_text("utf-8"))
    if not isinstance(document, dict):
        raise BadRequest(f"{path}: a YAML manifest is a mapping with {', '.join(YAML_KEYS)}")
    for key in document:
        if key not in YAML_KEYS:
            raise BadRequest(f"{path}: there is no key {key!r}{nearest(str(key), YAML_KEYS)}")
    if ("contents" in document) != ("styles" in document):
        raise BadRequest(f"{path}: a product needs both contents and styles")
    defaults = document.get("defaults") or {}
    if not isinstance(defaults, dict):
        raise BadRequest(f"{path}: defaults is a mapping of settings")
    check_settings(defaults, f"{path}: defaults")
    rows = document.get("pairs") or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadRequest(f"{path}: pairs is a list of mappings with content and style")
    contents, styles = (list(_expand(path, document.get(key, []), key)) for key in ("contents", "styles"))
    asked = rows + [{"content": content, "style": style} for content, style in product(contents, styles)]
    return [{**defaults, **{name: value for name, value in row.items() if not _is_empty(value)}} for row in asked]


def _expand(manifest: Path, patterns: Any, key: str) -> Iterator[str]:
    """The files that a list of names and globs stands for: in the list's order, and sorted within each glob."""
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        if not isinstance(pattern, str):
            raise BadRequest(f"{manifest}: {key} is a name or glob, or a list of them, not {pattern!r}")
        if not any(character in pattern for character in "*?[") or (manifest.parent / pattern).is_file():
            yield pattern
            continue
        anchor = Path(pattern).anchor
        folder = Path(anchor) if anchor else manifest.parent
        found = sorted(file for file in folder.glob(pattern.removeprefix(anchor)) if file.is_file())
        if not found:
            raise BadRequest(f"{manifest}: {key}: nothing matches {pattern}")
        yield from (file.as_posix() if anchor else file.relative_to(folder).as_posix() for file in found)


def _check_columns(path: Path, rows: list[dict[str, Any]]) -> None:
    names = {str(name): None for row in rows for name in row}  # a set that keeps the order
    for name in names:
        if name not in COLUMNS:
            raise BadRequest(f"{path}: there is no column or setting {name!r}{nearest(name, COLUMNS)}")
    for name in ("content", "style"):
        if name not in names:
            raise BadRequest(f"{path} has no column {name!r}; its columns are {', '.join(names)}")


def check_rows(
    manifest: Manifest, overrides: Mapping[str, str], decode: bool = False
) -> tuple[list[Pair], list[BadRow]]:
    """Check every row: settings, ids, and that its pictures are there, are pictures, and fit the network.

    Args:
        overrides: settings that win over the rows'.
        decode: also decode each picture once, which finds those that are cut off in the middle.

    Returns:
        The good rows and the bad ones, each in the manifest's order.
    """
    check_picture = _PictureCheck(decode)
    seen: dict[str, int] = {}
    pairs, bad_rows = [], []
    for number, raw in enumerate(manifest.rows, start=1):
        row = {name: value for name, value in raw.items() if not _is_empty(value)}
        found: list[tuple[str, str]] = []
        given = {name: row[name] for name in row if name in Settings.model_fields}
        settings = Settings()
        try:
            settings = Settings.model_validate({**given, **overrides})
        except ValidationError as error:
            found += problems(error)
        names = {column: str(row.get(column, "")) for column in ("id", "content", "style")}
        if names["id"]:
            found += [("id", problem) for problem in _id_problems(names["id"], number, seen)]
        pictures = {"content": (names["content"], 1.0), "style": (names["style"], settings.style_scale)}
        if settings.starts_from_picture:
            pictures["init"] = (settings.init, 1.0)
        for column, (name, scale) in pictures.items():
            if not name:
                found.append((column, "is missing"))
                continue
            shortest = minimum_side([*settings.content_layers, *settings.style_layers])
            problem = check_picture(manifest.locate(name), settings.size * scale, shortest)
            if problem:
                found.append((column, problem))
        if found:
            bad_rows.append(BadRow(number, names["id"], names["content"], names["style"], tuple(found)))
        else:
            pairs.append(Pair(number, names["id"], names["content"], names["style"], settings))
    return pairs, bad_rows


def _is_empty(value: Any) -> bool:
    """Whether a cell says nothing: JSON's null, an empty CSV field, or the NaN that pandas writes for a gap."""
    return value is None or value == "" or value != value


def _id_problems(name: str, row: int, seen: dict[str, int]) -> Iterator[str]:
    if not SAFE_ID.fullmatch(name) or RESERVED.fullmatch(name) or name.endswith((".", " ")):
        yield f"{name!r} is not safe as a file name; use letters, digits and . _ - within it"
    elif len(name) > LONGEST_ID:
        yield f"is longer than {LONGEST_ID} characters"
    # File systems that ignore case would write both to one file.
    first = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), row)
    if first != row:
        yield f"{name!r} is that of row {first} already"


class _PictureCheck:
    """Checks pictures, each file once however many rows name it."""

    def __init__(self, decode: bool) -> None:
        self._decode = decode
        self._sizes: dict[Path, tuple[int, int] | str] = {}

    def __call__(self, path: Path, longer: float, shortest: int) -> str:
        """What is wrong with the picture, or nothing."""
        if path not in self._sizes:
            self._sizes[path] = self._look(path)
        size = self._sizes[path]
        if isinstance(size, str):
            return size
        width, height = scaled_size(*size, longer)
        if min(width, height) < shortest:
            return (
                f"{path.name} would be {width}x{height} px; the layers need {shortest} px on the shorter side: "
                "crop it, or raise size"
            )
        return ""

    def _look(self, path: Path) -> tuple[int, int] | str:
        try:
            return load_picture(path).size if self._decode else header_size(path)
        except (BadInput, OSError) as error:
            return str(error)
