"""Rows of JSON: an object a line, or one array of objects."""

from __future__ import annotations

import json
from typing import Any

DIGITS = 4000  # of a number; Python reads none that is much longer


class WrongJson(ValueError):
    """The text cannot be read; where and why, for people."""


def read_json_rows(text: str, most: int) -> list[dict[str, Any]]:
    """The objects, in their order; empty lines do not count.

    Args:
        most: rows; what is beyond is not read.

    Raises:
        WrongJson: it is no JSON, has a key twice, or something else than objects.
        RecursionError: it is nested too deep.
    """
    if text.lstrip().startswith("["):
        return _read_array(text)
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row = _read(line, f"line {number}", text)
        if not isinstance(row, dict):
            raise WrongJson(f"line {number}: a row is an object, {{...}}")
        rows.append(row)
        if len(rows) > most:
            break
    return rows


def _read_array(text: str) -> list[dict[str, Any]]:
    array = _read(text, "", text)
    for number, row in enumerate(array, start=1):
        if not isinstance(row, dict):
            raise WrongJson(f"row {number} of the array: a row is an object, {{...}}")
    return list(array)


def _read(part: str, where: str, whole: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            place = where or f"the object with {json.dumps(found, ensure_ascii=False)[:60]}"
            raise WrongJson(f"{place}: {twice!r} is given twice; leave one out")
        return found

    try:
        return json.loads(part, object_pairs_hook=once, parse_int=_whole)
    except json.JSONDecodeError as error:
        place = where or f"line {error.lineno}, column {error.colno}"
        if where and whole.lstrip().startswith("{") and error.msg.startswith(("Expecting", "Unterminated")):
            hint = "; each line is one whole object" if part.strip() in ("{", "}", "},") else ""
            raise WrongJson(f"{place}: not JSON: {error.msg}{hint}") from None
        raise WrongJson(f"{place}: not JSON: {error.msg}") from None


def _whole(digits: str) -> int | str:
    """A whole number, or its text where it is too long for one: the row's setting then says that it is none."""
    return int(digits) if len(digits) <= DIGITS else digits
