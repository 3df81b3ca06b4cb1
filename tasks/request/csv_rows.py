"""Rows of CSV, as spreadsheets of any country write it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any, Union, get_origin

from stylebatch.tasks.request.settings import Settings

DELIMITERS = (",", ";", "\t", "|")
LONGEST = 10_000_000  # characters of a cell
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:e[-+]?\d+)?", re.IGNORECASE)
_INDEX = re.compile(r"(?:unnamed: \d+)?", re.IGNORECASE)  # what pandas heads an index with
NUMBERS = frozenset(
    name
    for name, field in Settings.model_fields.items()
    if field.annotation in (int, float) or get_origin(field.annotation) is Union
)


class WrongCsv(ValueError):
    """The text cannot be read; where and why, for people."""


def read_csv_rows(text: str, required: Sequence[str], most: int) -> list[dict[str, Any]]:
    """The rows; blanks around a cell and lines of nothing but blanks do not count.

    Args:
        required: columns, by which the delimiter is known.
        most: rows; what is beyond is not read.

    Raises:
        WrongCsv: a quote is not closed, two columns have one name, or a row has more fields than the header.
        csv.Error: it cannot be read otherwise.
    """
    csv.field_size_limit(LONGEST)
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r'"?sep=(.)"?\s*', first, re.IGNORECASE)
    delimiter = told[1] if told else _delimiter(first, required)
    table = io.StringIO(rest if told else text, newline="")
    lines = csv.reader(table, delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        header = [name.strip() for name in next(lines, [])]
        shared: dict[str, str] = {}  # most columns say few things, and a million rows are held
        found = [
            [shared.setdefault(stripped, stripped) for stripped in map(str.strip, line)]
            for line in islice(lines, most + 1)
        ]
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise WrongCsv("a quote is opened and not closed") from None
        raise
    found = [line for line in found if any(line)]
    for name in header:
        if name and header.count(name) > 1:
            raise WrongCsv(f"there are two columns {name!r}; leave one out")
    for number, line in enumerate(found, start=1):
        if len(line) > len(header):
            counts = f"{len(line)} and {len(header)}"
            raise WrongCsv(f"row {number}: more fields than columns, {counts}; {_remedy(text, delimiter, line)}")
    unnamed = _without_index(header, found)
    rows = [dict(zip(header, line, strict=False)) for line in found]
    for row in rows:
        for name in unnamed:
            if row.get(name):
                raise WrongCsv(f"a column without a name has values, such as {row[name]!r}; name it, or delete it")
            row.pop(name, None)
        if delimiter != ",":
            for name in NUMBERS & row.keys():
                row[name] = row[name].replace(",", ".") if _DECIMAL_COMMA.fullmatch(row[name]) else row[name]
    return rows


def _delimiter(header: str, required: Sequence[str]) -> str:
    """The one that the header's names are between; a comma where none is."""

    def names(delimiter: str) -> int:
        cells = {cell.strip().strip('"') for cell in header.split(delimiter)}
        return sum(name in cells for name in required)

    best = max(DELIMITERS, key=lambda one: (names(one), header.count(one) if names(one) else 0))
    return best if names(best) else ","


def _remedy(text: str, delimiter: str, line: Sequence[str]) -> str:
    """What to do about a row with more fields than the header."""
    header = text.partition("\n")[0]
    others = [one for one in DELIMITERS if one != delimiter and one in header]
    if others:
        return f"the header has {others[0]!r} between its names: write the same character everywhere"
    numbers = [cell.isdecimal() for cell in line]
    if delimiter == "," and any(cell and after for cell, after in pairwise(numbers)):
        return "write decimals with a point, 2.5, and put a field with a comma in quotes"
    return f"put a field with a {'comma' if delimiter == ',' else repr(delimiter)} in quotes"


def _without_index(header: list[str], rows: list[list[str]]) -> set[str]:
    """Take an index out, that is a first column without a name, which counts; the names of the other nameless ones."""
    if header and _INDEX.fullmatch(header[0]):
        counted = [line[0] for line in rows]
        if any(counted == [str(number + start) for number in range(len(rows))] for start in (0, 1)):
            del header[0]
            for line in rows:
                del line[0]
    return {name for name in header if not name}
