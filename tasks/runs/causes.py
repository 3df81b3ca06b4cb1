"""Failures of one cause, together: a missing disk is told once, and not a thousand times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from stylebatch.tasks.request.styles import styles_of


class Failure(NamedTuple):
    """A row that failed: its id, what went wrong, and its pictures by the manifest's names."""

    id: str
    error: str
    content: str
    style: str


def by_cause(failures: Iterable[Failure]) -> dict[str, list[str]]:
    """Ids by their error, with the rows' own pictures' names left out of it; the most frequent first."""
    causes: dict[str, list[str]] = defaultdict(list)
    for failure in failures:
        cause = failure.error
        for name in (failure.content, *(style.name for style in styles_of(failure.style))):
            if name:
                cause = cause.replace(name, "…").replace(Path(name).name, "…")
        causes[cause].append(failure.id)
    return dict(sorted(causes.items(), key=lambda item: -len(item[1])))
