"""A report by one of its columns or by a setting: how many pictures, and the means of what they are worth."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import Any

import pyarrow as pa

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.gallery.comparison import needs
from stylebatch.tasks.request.cells import as_text
from stylebatch.tasks.request.settings import Settings, nearest
from stylebatch.tasks.runs.varying import SET_COLUMN
from stylebatch.tasks.storage.files import read_bytes
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place

NUMBERS = ("structure", "style_distance", "total_loss", "seconds")


@dataclass(frozen=True)
class Group:
    """The pictures of one value: for each of `NUMBERS` those that are known."""

    value: str
    count: int
    numbers: Mapping[str, Sequence[float]]

    def mean(self, name: str) -> float | None:
        """Of one of `NUMBERS`; none where none is known."""
        return fmean(self.numbers[name]) if self.numbers[name] else None


@dataclass(frozen=True)
class Summary:
    """A report's pictures by what they have in common.

    Attributes:
        by: the column or setting.
        groups: by its values, in their order.
        failed: rows without a picture, which no group has.
        apart: the numbers that do not compare among all pictures, each with what these differ in.
    """

    by: str
    groups: Sequence[Group]
    failed: int
    apart: Mapping[str, Sequence[str]]


def summarize(folder: Place, by: str) -> Summary:
    """Read a run's report.

    Args:
        by: a column of it, or a setting, with ``set_`` before it where a column has the same name.

    Raises:
        BadRequest: there is no report in the folder, it cannot be read, or has no such column.
    """
    try:
        report = read_parquet(read_bytes(folder / "report.parquet"))
        rows = [row for row in report.to_pylist() if row["status"] != "failed"]
        settings = [_parsed(row["settings"]) for row in rows]
    except FileNotFoundError:
        raise BadRequest(f"there is no run in {folder}: it has no report.parquet") from None
    except (OSError, BadInput, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise BadRequest(f"the report in {folder} cannot be read: {error}") from None
    values = _values(by, report.column_names, rows, settings)
    members: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for value, row in zip(values, rows, strict=True):
        members[value].append(row)
    groups = [
        Group(value, len(members[value]), {name: _known(members[value], name) for name in NUMBERS})
        for value in sorted(members, key=_order)
    ]
    return Summary(by, groups, report.num_rows - len(rows), _apart(rows, settings))


@lru_cache(maxsize=1024)  # rows share their settings
def _parsed(text: str) -> Mapping[str, Any]:
    settings: Mapping[str, Any] = json.loads(text)
    return settings


def _values(
    by: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], settings: Sequence[Mapping[str, Any]]
) -> list[str]:
    name = by.removeprefix(SET_COLUMN)
    if by in columns and not by.startswith(SET_COLUMN):
        return [as_text(row[by]) for row in rows]
    if name in Settings.model_fields:
        return [as_text(one.get(name, "")) for one in settings]
    known = [*columns, *Settings.model_fields]
    raise BadRequest(f"--by: the report has no column {by!r}, and there is no such setting{nearest(by, known)}")


def _known(rows: Iterable[Mapping[str, Any]], name: str) -> list[float]:
    return [row[name] for row in rows if row.get(name) is not None]


def _order(value: str) -> tuple[float, str]:
    """By number where it is one, and else by letter."""
    try:
        return float(value), value
    except ValueError:
        return float("inf"), value


def _apart(rows: Sequence[Mapping[str, Any]], settings: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    # Balanced losses are relative to their style, so that styles do compare.
    classic = any(one.get("objective", "classic") == "classic" for one in settings)
    own = [{**one, "style": row["style"] if classic else ""} for row, one in zip(rows, settings, strict=True)]
    apart = {
        name: [need for need in needs(name) if len({as_text(one.get(need, "")) for one in own}) > 1] for name in NUMBERS
    }
    return {name: found for name, found in apart.items() if found}
