"""The manifest: a table of pairs, read from any of its formats; nothing is checked but the names of its columns."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape
from itertools import chain, product
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.request.settings import Settings, check_settings, nearest
from stylebatch.tasks.request.styles import parse_styles, written
from stylebatch.tasks.storage import cache
from stylebatch.tasks.storage.object_stores import clear_errors, file_system
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place, is_url, is_web, join, to_place, without_secrets

COLUMNS = ("id", "content", "style", "masks", "note", *Settings.model_fields)
VALUES = 10_000_000  # in a YAML manifest, with its aliases written out
YAML_KEYS = ("defaults", "pairs", "contents", "styles", "sweep")


@dataclass(frozen=True)
class Manifest:
    """The rows as they were written: a mapping of column to value each, nothing checked but the columns' names."""

    path: Place
    rows: list[dict[str, Any]]
    allow_http: bool = False
    _located: dict[str, Place] = field(default_factory=dict, init=False, repr=False, compare=False)

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


def read_manifest(path: Place, allow_http: bool = False) -> Manifest:
    """Read CSV, JSON Lines, Parquet or YAML, by the file's ending.

    Args:
        allow_http: let it and its pictures be read from the web.

    Raises:
        BadRequest: there is no such file, it cannot be parsed, or a column or setting has no known name.
    """
    readers: dict[str, Callable[[Place, Path], list[dict[str, Any]]]] = {
        ".csv": _read_csv,
        ".jsonl": _read_json_lines,
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
            if not file.is_file():
                raise FileNotFoundError
            rows = reader(path, file)
    except BadRequest:
        raise
    except (FileNotFoundError, IsADirectoryError):
        raise BadRequest(f"there is no manifest {path}") from None
    except RecursionError:
        raise BadRequest(f"{path} cannot be read: its values are nested too deep") from None
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, yaml.YAMLError, csv.Error, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadRequest(f"{path} cannot be read: {reason}") from None
    if not rows:
        raise BadRequest(f"{path} has no rows")
    _check_columns(path, rows)
    return Manifest(path, rows, allow_http)


def _read_csv(path: Place, local: Path) -> list[dict[str, Any]]:
    with local.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey=None, strict=True)
        _refuse_twice(path, [name for name in reader.fieldnames or () if name])
        rows: list[dict[str | None, Any]] = list(reader)
    for number, row in enumerate(rows, start=1):
        if None in row:
            raise BadRequest(f"{path}, row {number}: more fields than columns; put a field with a comma in quotes")
    # A comma at the end of the header, as spreadsheets leave it, makes a column without a name.
    return [{str(name): value for name, value in row.items() if name or value} for row in rows]


def _read_parquet(path: Place, local: Path) -> list[dict[str, Any]]:
    table = read_parquet(local)
    _refuse_twice(path, table.column_names)
    rows: list[dict[str, Any]] = table.to_pylist(maps_as_pydicts="strict")
    return rows


def _refuse_twice(path: Place, columns: Sequence[str]) -> None:
    for name in columns:
        if columns.count(name) > 1:
            raise BadRequest(f"{path} has two columns {name!r}; leave one out")


def _read_json_lines(path: Place, local: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(local.read_text("utf-8-sig").split("\n"), start=1):
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


def _read_yaml(path: Place, local: Path) -> list[dict[str, Any]]:
    """``pairs``, a list of rows, and the product of ``contents`` and ``styles``; ``defaults`` go to all of them.

    ``sweep`` asks for each of these rows with every combination of its settings' values.
    """
    text = local.read_text("utf-8")
    _refuse_too_many(path, yaml.compose(text, Loader=yaml.SafeLoader))
    document = yaml.safe_load(text)
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
    contents = list(expand(path.parent, document.get("contents", []), f"{path}: contents"))
    styles = list(_expand_styles(path, document.get("styles", [])))
    asked = rows + [{"content": content, "style": style} for content, style in product(contents, styles)]
    given = [{name: value for name, value in row.items() if not is_empty(value)} for row in asked]
    swept = list(_combinations(path, document["sweep"], defaults, given)) if "sweep" in document else [{}]
    return [{**defaults, **row, **combination} for row in given for combination in swept]


def _refuse_too_many(path: Place, document: yaml.Node | None) -> None:
    """Refuse a text of a few lines whose aliases stand for billions of values."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = VALUES  # what holds itself has no end
            parts = node.value if isinstance(node, yaml.CollectionNode) else []
            flat = chain.from_iterable(parts) if isinstance(node, yaml.MappingNode) else parts
            sizes[id(node)] = 1 + sum(map(size, flat))
        return sizes[id(node)]

    if document is not None and size(document) >= VALUES:
        raise BadRequest(f"{path}: its aliases stand for more than {VALUES:,} values")


def _combinations(
    path: Place, sweep: Any, defaults: dict[str, Any], rows: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Every combination of the values that ``sweep`` lists, the last setting changing first."""
    if not isinstance(sweep, dict) or not sweep:
        raise BadRequest(f"{path}: sweep is a mapping of settings to lists of values, {{style_weight: [10, 100]}}")
    for name, values in sweep.items():
        if name not in Settings.model_fields:
            raise BadRequest(f"{path}: sweep: there is no setting {name!r}{nearest(str(name), Settings.model_fields)}")
        if not isinstance(values, list) or not values:
            raise BadRequest(f"{path}: sweep: {name} is a list of values, not {values!r}")
        for place, value in enumerate(values):
            if value in values[:place]:
                raise BadRequest(f"{path}: sweep: {name} has {value!r} twice")
    for number, row in enumerate(rows, start=1):
        if "id" in row:
            raise BadRequest(
                f"{path}: row {number} of pairs has the id {row['id']!r}, which a sweep would give to several "
                "pictures; leave the id out, and each gets its own"
            )
        if both := [name for name in sweep if name in row]:
            raise BadRequest(f"{path}: row {number} of pairs and sweep both give {both[0]}; leave it out of one")
    for values in product(*sweep.values()):
        combination = dict(zip(sweep, values, strict=True))
        check_settings({**defaults, **combination}, f"{path}: sweep")
        yield combination


def expand(folder: Place, patterns: Any, where: str) -> Iterator[str]:
    """The files that a list of names and globs stands for: in the list's order, and sorted within each glob.

    Args:
        folder: what they are relative to.
        where: they stand, for the text of an error.

    Raises:
        BadRequest: nothing matches a glob, or it is no text.
    """
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        if not isinstance(pattern, str):
            raise BadRequest(f"{where} is a name or glob, or a list of them, not {pattern!r}")
        if not any(character in pattern for character in "*?["):
            yield pattern
            continue
        if is_url(pattern) or (not isinstance(folder, Path) and not Path(pattern).is_absolute()):
            yield from _expand_remote(folder, pattern, where)
            continue
        anchor = Path(pattern).anchor
        above = Path(anchor) if anchor or not isinstance(folder, Path) else folder
        if (above / pattern).is_file():
            yield pattern
            continue
        found = sorted(file for file in above.glob(pattern.removeprefix(anchor)) if file.is_file())
        if not found:
            raise BadRequest(f"{where}: nothing matches {pattern}")
        yield from (file.as_posix() if anchor else file.relative_to(above).as_posix() for file in found)


def _expand_remote(parent: Place, pattern: str, where: str) -> Iterator[str]:
    """As `expand`, in an object store; names are relative to ``parent`` where the pattern is."""
    shown = without_secrets(pattern)
    try:
        place = to_place(pattern) if is_url(pattern) else join(parent, pattern, allow_http=True)
        if isinstance(place, Path):
            raise BadInput("write it as a path")
        if is_web(place):
            if not is_url(pattern):
                raise BadInput("the web has no folders to list; name each file")
            yield pattern  # a question mark there begins a query
            return
        # The manifest's own folder may have characters that a pattern gives a meaning to.
        folder = "" if isinstance(parent, Path) else f"{parent.path.rstrip('/')}/"
        inside = bool(folder) and not is_url(pattern) and place.path.startswith(folder)
        asked = escape(folder) + place.path.removeprefix(folder) if inside else place.path
        with clear_errors(place):
            found = sorted(file_system(place).glob(asked, detail=True).items())
    except (BadInput, OSError) as error:
        raise BadRequest(f"{where}: {shown}: {error}") from None
    names = [name for name, info in found if info["type"] == "file"]
    if not names:
        raise BadRequest(f"{where}: nothing matches {shown}")
    yield from (name[len(folder) :] if inside else f"{place.protocol}://{name.lstrip('/')}" for name in names)


def _expand_styles(manifest: Place, patterns: Any) -> Iterator[Any]:
    """As `expand`, but for lists, which may have globs too, and mappings within the list: each is one blend."""
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        if isinstance(pattern, list):
            yield list(expand(manifest.parent, pattern, f"{manifest}: styles"))
        elif isinstance(pattern, dict):
            yield pattern
        else:
            yield from expand(manifest.parent, pattern, f"{manifest}: styles")


def _check_columns(path: Place, rows: list[dict[str, Any]]) -> None:
    names = {str(name): None for row in rows for name in row}  # a set that keeps the order
    for name in names:
        if name not in COLUMNS:
            raise BadRequest(f"{path}: there is no column or setting {name!r}{nearest(name, COLUMNS)}")
    for name in ("content", "style"):
        if name not in names:
            raise BadRequest(f"{path} has no column {name!r}; its columns are {', '.join(names)}")


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
