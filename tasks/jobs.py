"""Jobs: good manifest rows with everything that their tasks need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import BadInput
from tasks.files import sha256_of
from tasks.key import pair_key, weights_digest
from tasks.manifest import Manifest
from tasks.nst.precision import fastest_precision
from tasks.pictures import load_picture
from tasks.rows import BadRow, Pair
from tasks.settings import Settings


@dataclass(frozen=True)
class Job:
    """One pair to stylize.

    ``content``, ``style`` and ``init`` are files that can be opened; ``content_name`` and ``style_name`` are what the
    manifest calls them. ``settings`` has its precision resolved.
    """

    row: int
    id: str
    key: str
    content: Path
    style: Path
    init: Path | None
    content_name: str
    style_name: str
    settings: Settings
    content_sha256: str
    style_sha256: str
    init_sha256: str | None
    weights_sha256: str

    @property
    def pictures(self) -> dict[str, Path]:
        """The files that are read, by the manifest's columns."""
        named = {"content": self.content, "style": self.style}
        return named if self.init is None else {**named, "init": self.init}

    def refused(self, column: str, problem: str) -> BadRow:
        """This job's row as a bad one."""
        return BadRow(self.row, self.id, self.content_name, self.style_name, ((column, problem),))


def make_jobs(manifest: Manifest, pairs: Sequence[Pair], device: str) -> tuple[list[Job], list[BadRow]]:
    """Digest the pairs' pictures, once a file, and give each pair its key and, where it has none, an id.

    Returns:
        The jobs, and the rows whose pictures can no longer be read.
    """
    digest = _Digests()
    taken = {pair.id.casefold() for pair in pairs if pair.id}
    jobs, bad_rows = [], []
    for pair in pairs:
        settings = pair.settings
        if settings.precision == "auto":
            settings = settings.model_copy(update={"precision": fastest_precision(device)})
        content, style = manifest.locate(pair.content), manifest.locate(pair.style)
        init = manifest.locate(settings.init) if settings.starts_from_picture else None
        files = {"content": content, "style": style} | ({"init": init} if init else {})
        sha256: dict[str, str] = {}
        try:
            for column, path in files.items():
                sha256[column] = digest(path)
        except OSError as error:
            bad_rows.append(BadRow(pair.row, pair.id, pair.content, pair.style, ((column, str(error)),)))
            continue
        key = pair_key(sha256["content"], sha256["style"], sha256.get("init"), settings)
        name = pair.id or _derive_id(content, style, key, taken)
        jobs.append(
            Job(
                row=pair.row,
                id=name,
                key=key,
                content=content,
                style=style,
                init=init,
                content_name=pair.content,
                style_name=pair.style,
                settings=settings,
                content_sha256=sha256["content"],
                style_sha256=sha256["style"],
                init_sha256=sha256.get("init"),
                weights_sha256=weights_digest(),
            )
        )
    return jobs, bad_rows


class _Digests:
    """SHA-256 of files, each read once however many rows name it."""

    def __init__(self) -> None:
        self._known: dict[Path, str] = {}

    def __call__(self, path: Path) -> str:
        if path not in self._known:
            self._known[path] = sha256_of(path)
        return self._known[path]


def _derive_id(content: Path, style: Path, key: str, taken: set[str]) -> str:
    """``content-style-key``, with a number behind it where a manifest has the same pair twice."""
    names = (re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40] or "picture" for path in (content, style))
    derived = "-".join((*names, key[:8]))
    candidate, number = derived, 1
    while candidate in taken:
        number += 1
        candidate = f"{derived}-{number}"
    taken.add(candidate)
    return candidate


def check_decoding(jobs: Iterable[Job]) -> tuple[list[Job], list[BadRow]]:
    """Decode every picture once, so that one that is cut off in the middle is found before any work is done.

    Returns:
        The jobs whose pictures are whole, and the rows of the others.
    """
    problems: dict[Path, str] = {}
    good, bad_rows = [], []
    for job in jobs:
        for column, path in job.pictures.items():
            if path not in problems:
                problems[path] = _damage(path)
            if problems[path]:
                bad_rows.append(job.refused(column, problems[path]))
                break
        else:
            good.append(job)
    return good, bad_rows


def _damage(path: Path) -> str:
    try:
        load_picture(path)
    except (BadInput, OSError) as error:
        return str(error)
    return ""
