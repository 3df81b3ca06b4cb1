"""Checking a manifest's rows before any work is done: settings, ids, that pictures are pictures and weights fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from stylebatch.tasks.errors import BadInput, problem_of
from stylebatch.tasks.networks.model_check import check_model
from stylebatch.tasks.networks.weights import check_weights
from stylebatch.tasks.nst.layers import NETWORKS
from stylebatch.tasks.pictures.decode import header_size, load_picture
from stylebatch.tasks.pictures.formats import LARGEST
from stylebatch.tasks.pictures.resize import scaled_size
from stylebatch.tasks.pictures.voronoi import cells_of
from stylebatch.tasks.progress import telling, watcher
from stylebatch.tasks.request.ids import KEY, as_file, id_problem
from stylebatch.tasks.request.keep import check_keep
from stylebatch.tasks.request.manifest import Manifest, Unreadable, is_empty
from stylebatch.tasks.request.missing import refuse_missing
from stylebatch.tasks.request.own_columns import EXTRA, PREFIX, own_cells
from stylebatch.tasks.request.settings import STARTS, Settings, problems
from stylebatch.tasks.request.styles import NamedStyle, parse_masks, parse_next_styles, parse_styles, written
from stylebatch.tasks.request.text import as_utf8, spelled
from stylebatch.tasks.storage.cache import fetch_ahead
from stylebatch.tasks.storage.facts import is_known
from stylebatch.tasks.storage.places import Place, is_url, refuse_secrets, without_secrets

T = TypeVar("T")
SETTINGS = frozenset(Settings.model_fields)  # pydantic's own mapping takes a while to be asked for

ROOMY = (4096, 4096)  # stands for a content that cannot be read, so that this is all that is told of its row


@dataclass(frozen=True, slots=True)
class Pair:
    """One good row. The pictures are named as the manifest names them; ``id`` is empty where it gives none.

    ``masks`` are as many as the styles, in their order, or none. Where the picture does not fulfil the condition
    ``keep``, ``next_styles`` are tried in turn.
    """

    row: int
    id: str
    content: str
    styles: tuple[NamedStyle, ...]
    masks: tuple[str, ...]
    settings: Settings
    keep: str = ""
    next_styles: tuple[tuple[NamedStyle, ...], ...] = ()

    @property
    def style(self) -> str:
        """The styles as one text."""
        return written(self.styles)

    def refused(self, column: str, problem: str) -> BadRow:
        """This row as a bad one."""
        return BadRow(self.row, self.id, self.content, self.style, ((column, problem),))


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


def check_rows(
    manifest: Manifest, overrides: Mapping[str, str], decode: bool = False
) -> tuple[list[Pair], list[BadRow]]:
    """Check every row: settings, ids, and that its pictures and weights are there, can be read, and fit the network.

    Args:
        overrides: settings that win over the rows'.
        decode: also decode each picture once, which finds those that are cut off in the middle.

    Returns:
        The good rows and the bad ones, each in the manifest's order.
    """
    fetch_ahead(_elsewhere(manifest, overrides), lambda place: decode or not is_known(place))
    check_row = _RowCheck(manifest, overrides, decode)
    pairs: list[Pair] = []
    bad_rows: list[BadRow] = []
    for number, raw in enumerate(telling(manifest.rows, watcher.get().checking), start=1):
        row = {name: value for name, value in raw.items() if not is_empty(value)}
        try:
            checked = check_row(number, row)
        except Exception as error:  # whatever a row does is that row's error
            checked = BadRow(number, *_named(row), (("row", problem_of(error)),))
        if isinstance(checked, Pair):
            pairs.append(checked)
        else:
            bad_rows.append(checked)
    return pairs, bad_rows


def _find(manifest: Manifest, name: str) -> Place:
    place = manifest.locate(name)
    refuse_missing(name, manifest.folder, place)
    return place


def _named(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return shown(row.get("id", "")), shown(row.get("content", "")), shown(row.get("style", ""))


def shown(value: Any) -> str:
    """A cell's value as reports and screens have it: without what is secret in it, and as text that can be written."""
    return without_secrets(as_utf8(spelled(value)))


def _elsewhere(manifest: Manifest, overrides: Mapping[str, Any]) -> Iterator[Place]:
    """The pictures that are not on this machine, as far as the rows name them in a way that can be read."""
    local = isinstance(manifest.folder, Path)
    for row in chain([overrides], manifest.rows):
        for column, cell in row.items():
            parse = _PICTURES.get(column)
            if not parse or (column in overrides and row is not overrides) or is_empty(cell):
                continue
            if local and "://" not in (cell if isinstance(cell, str) else spelled(cell)):
                continue
            with suppress(Exception):  # it is told when the row is checked
                for name in (one for named in parse(cell) for one in manifest.pictures_of(named)):
                    if not local or is_url(name):
                        yield manifest.locate(name)


_PICTURES: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "content": lambda cell: [str(cell)],
    "style": lambda cell: [style.name for style in parse_styles(cell)],
    "next_styles": lambda cell: [style.name for other in parse_next_styles(cell) for style in other],
    "masks": lambda cell: [mask for mask in parse_masks(cell) if not cells_of(mask)],
    "init": lambda cell: [] if cell in STARTS else [str(cell)],
}


class _RowCheck:
    """Checks one row after another; what many have in common is looked at once."""

    def __init__(self, manifest: Manifest, overrides: Mapping[str, str], decode: bool) -> None:
        self._read_settings = _SettingsReader(manifest, overrides)
        self._check_picture = _PictureCheck(manifest, decode)
        find = partial(_find, manifest)
        self._check_network = cache(
            lambda model, styles, recolors: check_model(model, styles, recolors, find, manifest.pictures_of)
        )
        # A model among the defaults may be there for those rows alone that a sweep gives its engine to, and who gives
        # an engine beside the manifest knows that its models are not asked for.
        self._others_paint = "engine" in overrides or any(row.get("engine") == "feedforward" for row in manifest.rows)
        self._seen: dict[str, int] = {}
        self._styles: dict[tuple[str, float, int], tuple[tuple[NamedStyle, ...], list[tuple[str, str]]]] = {}

    def __call__(self, number: int, row: Mapping[str, Any]) -> Pair | BadRow:
        """The row ``number`` as a pair, or with all that is wrong with it; cells that say nothing are left out."""
        found: list[tuple[str, str]] = []
        unreadable = {name: cell.problem for name, cell in row.items() if isinstance(cell, Unreadable)}
        if unreadable:
            return BadRow(number, *_named(row), tuple(unreadable.items()))
        settings, wrong, shortest = self._read_settings({name: row[name] for name in row if name in SETTINGS})
        found += wrong
        found += _own_problems(row)
        name = shown(row["id"]) if "id" in row else ""
        if name:
            found += [("id", problem) for problem in _id_problems(name, number, self._seen)]
        content = self._read(row, "content", lambda cell: (str(cell),), found)
        size = self._check_picture.size(content[0]) if content else ""
        longer = settings.longer_side(ROOMY if isinstance(size, str) else size)
        self._look("content", content, longer, shortest, found)
        if not isinstance(size, str) and longer > LARGEST[settings.format]:
            most = f"{settings.format} has room for {LARGEST[settings.format]:,} px a side"
            found.append(("format", f"{most}, and this would have {longer:,}; take another format, or a smaller size"))
        styles = self._check_styles(row, longer * settings.style_scale, shortest, found)
        others = self._read(row, "next_styles", parse_next_styles, found) if "next_styles" in row else ()
        if others:
            names = [style.name for other in others for style in other]
            self._look("next_styles", names, longer * settings.style_scale, shortest, found)
        keep = shown(row["keep"]) if "keep" in row else ""
        if keep or others:
            found += _keep_problems(keep, others, settings)
        masks = self._read(row, "masks", parse_masks, found) if "masks" in row else ()
        if masks:
            self._check_masks(masks, styles, others, longer, found)
        if settings.starts_from_picture:
            self._look("init", [settings.init], longer, shortest, found)
        if settings.model != "none" and settings.engine == "optimize" and not (settings.paints or self._others_paint):
            problem = "is for engine=feedforward, and this row's is optimize; give that engine, or no model"
            found.append(("model", problem))
        if settings.paints and not found:
            self._check_models(settings, (styles, *others), found)
        if found:
            style = written(styles) if styles else row.get("style", "")
            found = [(column, shown(problem)) for column, problem in found]
            return BadRow(number, name, shown("".join(content)), shown(style), tuple(found))
        return Pair(number, name, content[0], styles, masks, settings, keep, others)

    def _read(
        self,
        row: Mapping[str, Any],
        column: str,
        parse: Callable[[Any], tuple[T, ...]],
        found: list[tuple[str, str]],
    ) -> tuple[T, ...]:
        with _Told(found, column):
            if column not in row:
                raise BadInput("is missing")
            return parse(row[column])
        return ()

    def _look(
        self, column: str, names: Iterable[str], longer: float, shortest: int, found: list[tuple[str, str]]
    ) -> None:
        """Look at pictures that will have so many pixels on the longer side, and need so many on the shorter one."""
        with _Told(found, column):
            pictures = [one for name in names for one in self._check_picture.pictures_of(name)]
            checked = [self._check_picture(picture, longer, shortest) for picture in pictures]
            found += [(column, problem) for problem in checked if problem]

    def _check_styles(
        self, row: Mapping[str, Any], longer: float, shortest: int, found: list[tuple[str, str]]
    ) -> tuple[NamedStyle, ...]:
        cell: Any = row.get("style")
        asked = cell, longer, shortest
        if isinstance(cell, str) and asked in self._styles:
            styles, problems = self._styles[asked]
        else:
            problems = []
            styles = self._read(row, "style", _parse_styles, problems)
            self._look("style", (style.name for style in styles), longer, shortest, problems)
            if isinstance(cell, str):
                self._styles[asked] = styles, problems
        found += problems
        return styles

    def _check_masks(
        self,
        masks: Sequence[str],
        styles: Sequence[NamedStyle],
        others: Sequence[Sequence[NamedStyle]],
        longer: float,
        found: list[tuple[str, str]],
    ) -> None:
        if any(len(other) != len(masks) for other in others):
            found.append(("next_styles", f"are not {len(masks)} each, as the masks are"))
        if styles and len(masks) != len(styles):
            problem = f"{len(masks)} for {len(styles)} in style; give each style its mask, in the same order"
            found.append(("masks", problem))
        self._look("masks", (mask for mask in masks if not cells_of(mask)), longer, 1, found)

    def _check_models(
        self, settings: Settings, tries: Iterable[Sequence[NamedStyle]], found: list[tuple[str, str]]
    ) -> None:
        for tried in tries:
            with _Told(found, "model"):
                names = tuple(style.name for style in tried)
                problem = self._check_network(settings.model, names, settings.preserve_color == "match")
                found += [("model", problem)] if problem else []


def _parse_styles(cell: Any) -> tuple[NamedStyle, ...]:
    """`parse_styles`; rows that write their style in the same way share one tuple."""
    return _parse_text(cell) if isinstance(cell, str) else _shared(parse_styles(cell))


@lru_cache(maxsize=65_536)
def _parse_text(cell: str) -> tuple[NamedStyle, ...]:
    return parse_styles(cell)


@lru_cache(maxsize=65_536)
def _shared(styles: tuple[NamedStyle, ...]) -> tuple[NamedStyle, ...]:
    """The first of equal ones."""
    return styles


class _Told:
    """A context within which what goes wrong is what is wrong with a column."""

    __slots__ = ("_column", "_found")

    def __init__(self, found: list[tuple[str, str]], column: str) -> None:
        self._found, self._column = found, column

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, Exception):
            self._found.append((self._column, problem_of(error)))
        return error is None or isinstance(error, Exception)


def _id_problems(name: str, row: int, seen: dict[str, int]) -> Iterator[str]:
    if problem := id_problem(name):
        yield problem
    if KEY in name:  # whether it is another's is known with the key
        return
    first = seen.setdefault(as_file(name), row)
    if first != row:
        yield f"{name!r} is that of row {first} already"


def _keep_problems(keep: str, others: Sequence[Sequence[NamedStyle]], settings: Settings) -> Iterator[tuple[str, str]]:
    if not keep:
        if others:
            yield "next_styles", "are for a picture that does not fulfil the condition in keep; give one"
        return
    try:
        _check_keep(keep)
    except BadInput as error:
        yield "keep", str(error)
    if settings.engine == "auto":
        yield "keep", "needs an engine that goes for all styles, and auto chooses one for each; give another"
    if settings.judge < 1:
        yield "keep", f"needs the figures of each picture, and judge leaves some without: it is {settings.judge:g}"


_check_keep = cache(check_keep)  # one that is wrong raises, and is looked at again


def _own_problems(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if EXTRA in row and not isinstance(row[EXTRA], Mapping):
        yield EXTRA, f"is a mapping of names to values, not {row[EXTRA]!r}; a table has a column {PREFIX}… for each"
    for name, value in own_cells(row).items():
        try:
            refuse_secrets(str(value))
        except Exception as error:
            yield name, problem_of(error)


class _SettingsReader:
    """Validates rows' settings, once for all rows that write them in the same way: these share one object."""

    def __init__(self, manifest: Manifest, overrides: Mapping[str, str]) -> None:
        self._overrides = overrides
        self._check_weights = cache(lambda network, weights: check_weights(network, weights, partial(_find, manifest)))
        self._known: dict[str, tuple[Settings, list[tuple[str, str]], int]] = {}

    def __call__(self, given: Mapping[str, Any]) -> tuple[Settings, list[tuple[str, str]], int]:
        """The settings, what is wrong with them and their weights, and the pixels that a shorter side has to have.

        Those that are not valid become the defaults.
        """
        text = repr(given)  # tells 1 from "1" and from True, as validation does
        if text not in self._known:
            try:
                settings = Settings.model_validate({**given, **self._overrides})
                problem = self._check_weights(settings.network, settings.weights)
                wrong = [("weights", problem)] if problem else []
            except ValidationError as error:
                settings, wrong = Settings(), problems(error)
            layers = (*settings.content_layers, *settings.style_layers)
            self._known[text] = settings, wrong, NETWORKS[settings.network].minimum_side(layers)
        return self._known[text]


class _PictureCheck:
    """Checks pictures, each file once however many rows name it."""

    def __init__(self, manifest: Manifest, decode: bool) -> None:
        self._manifest = manifest
        self.pictures_of = manifest.pictures_of
        self._decode = decode
        self._sizes: dict[Place, tuple[int, int] | str] = {}
        self._named: dict[str, tuple[int, int] | str] = {}
        self._told: dict[tuple[str, float, int], str] = {}

    def __call__(self, name: str, longer: float, shortest: int) -> str:
        """What is wrong with the picture, or nothing.

        Args:
            longer: pixels of the longer side that it will be resized to.
            shortest: pixels that its shorter side has to have then.
        """
        asked = name, longer, shortest
        if asked not in self._told:
            self._told[asked] = self._check(*asked)
        return self._told[asked]

    def _check(self, name: str, longer: float, shortest: int) -> str:
        size = self.size(name)
        if isinstance(size, str):
            return size
        width, height = scaled_size(*size, longer)
        if min(width, height) < shortest:
            return (
                f"{self._manifest.locate(name).name} would be {width}x{height} px; the layers need {shortest} px on "
                "the shorter side: crop it, or give a larger size"
            )
        return ""

    def size(self, name: str) -> tuple[int, int] | str:
        """The picture's sides, which its EXIF orientation may turn, or what is wrong with it."""
        if name not in self._named:
            try:
                path = self._manifest.locate(name)
            except BadInput as error:
                return str(error)
            if path not in self._sizes:
                self._sizes[path] = self._look(name, path)
            self._named[name] = self._sizes[path]
        return self._named[name]

    def _look(self, name: str, path: Place) -> tuple[int, int] | str:
        try:
            refuse_missing(name, self._manifest.folder, path)
            return load_picture(path).size if self._decode else header_size(path)
        except Exception as error:
            return problem_of(error)
