"""What a picture is labelled with, and the folder that stands for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import PurePosixPath
from typing import Any

from stylebatch.tasks.request.collections import pattern_of, stem_of
from stylebatch.tasks.request.styles import styles_of

_UNSAFE = re.compile(r"[^\w .@+=,-]")


def label_of(row: Mapping[str, Any], styles: Mapping[str, str]) -> str:
    """The label of a report's row: its column ``label``, or the folder that its id begins with, or its style's name.

    Args:
        styles: as `names_of_styles` gives them.
    """
    if row.get("label"):
        return str(row["label"])
    return row["id"].rpartition("/")[0] or styles[row["style"]]


def names_of_styles(styles: Iterable[str]) -> dict[str, str]:
    """A name for each style of a report: its file's, with as many folders as it takes to tell it from the others."""
    parts = {style: _parts(style) for style in dict.fromkeys(styles)}
    for depth in range(1, 1 + max((len(path) for paths in parts.values() for path in paths), default=0)):
        names = {style: "+".join("-".join(path[-depth:]) for path in paths) for style, paths in parts.items()}
        if len({name.casefold() for name in names.values()}) == len(names):
            return names
    numbers = count(1)  # they differ by a weight or an ending alone
    return {style: f"{'+'.join(path[-1] for path in paths)}-{next(numbers)}" for style, paths in parts.items()}


def _parts(style: str) -> list[tuple[str, ...]]:
    """The folders and the stem of each of the pictures of a style."""
    named = [(PurePosixPath(pattern_of(one.name) or one.name), stem_of(one.name)) for one in styles_of(style)]
    return [(*(part for part in path.parts[:-1] if part not in ("/", stem)), stem) for path, stem in named]


def folder_of(label: str) -> str:
    """The label as the name of a folder, or of one within another, that any file system can have."""
    return "/".join(_UNSAFE.sub("_", part).strip(". ") or "_" for part in label.split("/"))
