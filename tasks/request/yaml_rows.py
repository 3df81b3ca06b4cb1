"""Rows of YAML: ``pairs``, and the product of ``contents`` and ``styles``, with what goes to all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.request.collections import pattern_of
from stylebatch.tasks.request.draw import Draw, Drawing, parse_draw
from stylebatch.tasks.request.globs import expand, expand_with_folders, folder_of
from stylebatch.tasks.request.naming import Naming, parse_naming
from stylebatch.tasks.request.own_columns import EXTRA, LABEL, prefixed
from stylebatch.tasks.request.settings import Settings, check_settings, nearest
from stylebatch.tasks.request.yaml_text import WrongYaml, read_yaml
from stylebatch.tasks.storage.places import Place, without_secrets

KEYS = ("defaults", "name", "extra", "pairs", "contents", "styles", "draw", "sweep")


def read_yaml_rows(text: str, path: Place, refuse_more: Callable[[int], None]) -> list[dict[str, Any]]:
    """``pairs``, a list of rows, and the product of ``contents`` and ``styles``; ``defaults`` go to all of them.

    ``draw`` takes some of the styles for each content. ``sweep`` asks for each of these rows with every combination of
    its settings' values. ``name`` gives an id to those that have none, and ``extra`` columns of people's own to all.

    Args:
        path: of the manifest, which names are relative to.
        refuse_more: called with the number of rows before they are made.

    Raises:
        WrongYaml, BadRequest: it cannot be read, or something in it is not as it has to be.
    """
    document = _document(text)
    defaults = document.get("defaults") or {}
    if not isinstance(defaults, dict):
        raise WrongYaml("defaults is a mapping of settings")
    check_settings(defaults, f"{path}: defaults")
    extra = document.get("extra") or {}
    if not isinstance(extra, dict):
        raise WrongYaml("extra is a mapping of names to what the report is to have in a column")
    pairs = document.get("pairs") or []
    if not isinstance(pairs, list) or not all(isinstance(row, dict) for row in pairs):
        raise WrongYaml("pairs is a list of mappings with content and style")
    contents = list(expand_with_folders(path.parent, document.get("contents", []), f"{path}: contents", path))
    styles = list(_expand_styles(path, document.get("styles", [])))
    drawing = _drawing(document["draw"], styles) if "draw" in document else None
    each = drawing.draw.styles if drawing else len(styles)
    sweep = document.get("sweep")
    swept = [len(values) for values in sweep.values() if isinstance(values, list)] if isinstance(sweep, dict) else []
    refuse_more((len(pairs) + len(contents) * each) * prod(swept))
    single = [_single(row) for row in pairs]
    if drawing and drawing.draw.regions > 1:
        _refuse_masks(single)
    combinations = list(_combinations(sweep, defaults, single, path)) if "sweep" in document else [{}]
    naming = _naming(document, each if contents else 1, len(combinations))
    if naming and drawing and drawing.draw.keep and "style" in naming.fields:
        raise WrongYaml(
            f"name {naming.pattern!r} has {{style}}, which keep may choose otherwise; take {{n}} or {{key}}"
        )
    named = _named(naming) if naming else _unnamed
    for_all = defaults | prefixed(extra)
    return [
        named(for_all | row | combination, folder)
        for row, folder in _asked(single, contents, drawing.rows if drawing else _product(styles))
        for combination in combinations
    ]


def _document(text: str) -> dict[str, Any]:
    document = read_yaml(text)
    if not isinstance(document, dict):
        raise WrongYaml(f"a YAML manifest is a mapping with {', '.join(KEYS)}")
    for key in document:
        if key not in KEYS and key in Draw.model_fields:
            raise WrongYaml(f"{key} goes into draw, as in draw: {{styles: 1, {key}: {document[key]}}}")
        if key not in KEYS:
            raise WrongYaml(f"there is no key {key!r}{nearest(str(key), KEYS)}")
    if ("contents" in document) != ("styles" in document):
        raise WrongYaml("a product needs both contents and styles")
    if "draw" in document and "styles" not in document:
        raise WrongYaml("draw takes some of the styles for each of the contents; give both")
    return document


def _drawing(asked: Any, styles: Sequence[Any]) -> Drawing:
    try:
        return Drawing(parse_draw(asked), styles)
    except BadInput as error:
        raise WrongYaml(str(error)) from None


def _single(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``pairs``, without what is empty in it."""
    cells = {name: value for name, value in row.items() if value not in (None, "")}
    return prefixed(cells.pop(EXTRA)) | cells if isinstance(cells.get(EXTRA), dict) else cells


def _refuse_masks(single: Sequence[Mapping[str, Any]]) -> None:
    for number, row in enumerate(single, start=1):
        if "masks" in row:
            raise WrongYaml(f"row {number} of pairs has masks, and draw has regions; leave one out")


def _product(styles: Sequence[Any]) -> Callable[[str], Iterator[dict[str, Any]]]:
    return lambda content: ({"content": content, "style": style} for style in styles)


def _asked(
    single: Sequence[dict[str, Any]],
    contents: Sequence[tuple[str, str]],
    rows_of: Callable[[str], Iterator[dict[str, Any]]],
) -> Iterator[tuple[dict[str, Any], str]]:
    """The rows, each with the folder of its content."""
    for row in single:
        yield row, folder_of(str(row.get("content", "")))
    for content, folder in contents:
        for row in rows_of(content):
            yield row, folder


def _naming(document: Mapping[str, Any], styles: int, combinations: int) -> Naming | None:
    """What gives the rows their ids, if something does, for so many styles of each content."""
    if "name" not in document:
        return None
    try:
        naming = parse_naming(document["name"])
    except BadInput as error:
        raise WrongYaml(str(error)) from None
    count = styles * combinations
    if count > 1 and not naming.tells_apart(swept=combinations > 1):
        fields = "{n} or {key}" if combinations > 1 else "{style}, {n} or {key}"
        raise WrongYaml(f"name {naming.pattern!r} gives one name to {count} pictures of each content; add {fields}")
    return naming


def _unnamed(row: dict[str, Any], folder: str) -> dict[str, Any]:
    return row


def _named(naming: Naming) -> Callable[[dict[str, Any], str], dict[str, Any]]:
    """Gives rows that have no id one by the pattern, and the folder in it as their label."""
    numbers: Counter[str] = Counter()

    def named(row: dict[str, Any], folder: str) -> dict[str, Any]:
        content = str(row.get("content", ""))
        if "n" in naming.fields:
            numbers[content] += 1
        if "id" not in row and "content" in row:
            row["id"] = naming.name(content, folder, row.get("style", ""), numbers[content])
            if folder and "folder" in naming.fields:
                row.setdefault(LABEL, folder.rpartition("/")[2])
        return row

    return named


def _combinations(
    sweep: Any, defaults: dict[str, Any], rows: Sequence[dict[str, Any]], path: Place
) -> Iterator[dict[str, Any]]:
    """Every combination of the values that ``sweep`` lists, the last setting changing first."""
    if not isinstance(sweep, dict) or not sweep:
        raise WrongYaml("sweep is a mapping of settings to lists of values, {style_weight: [10, 100]}")
    for name, values in sweep.items():
        if name not in Settings.model_fields:
            raise WrongYaml(f"sweep: there is no setting {name!r}{nearest(str(name), Settings.model_fields)}")
        if not isinstance(values, list) or not values:
            raise WrongYaml(f"sweep: {name} is a list of values, not {values!r}")
        for place, value in enumerate(values):
            if value in values[:place]:
                raise WrongYaml(f"sweep: {name} has {without_secrets(repr(value))} twice")
    for number, row in enumerate(rows, start=1):
        if "id" in row:
            raise WrongYaml(
                f"row {number} of pairs has the id {row['id']!r}, which a sweep would give to several pictures; "
                "leave the id out, and each gets its own"
            )
        if both := [name for name in sweep if name in row]:
            raise WrongYaml(f"row {number} of pairs and sweep both give {both[0]}; leave it out of one")
    for values in product(*sweep.values()):
        combination = dict(zip(sweep, values, strict=True))
        check_settings({**defaults, **combination}, f"{path}: sweep")
        yield combination


def _expand_styles(manifest: Place, patterns: Any) -> Iterator[Any]:
    """As `expand`, but for lists, which may have globs too, mappings and collections within the list: each is one."""
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        if isinstance(pattern, list):
            yield list(expand(manifest.parent, pattern, f"{manifest}: styles", manifest))
        elif isinstance(pattern, dict) or (isinstance(pattern, str) and pattern_of(pattern)):
            yield pattern
        else:
            yield from expand(manifest.parent, pattern, f"{manifest}: styles", manifest)
