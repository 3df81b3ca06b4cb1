"""Segments: the records of pictures that were made together, a line of JSON each, in one file that is appended to.

A process that is killed leaves a torn line at the end, which does not count. In an object store, where nothing can be
appended to, the object is written anew with more lines every few seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from stylebatch.tasks.results.record import Record, read_record
from stylebatch.tasks.storage.files import read_bytes, write_atomically
from stylebatch.tasks.storage.places import Place

INTERVAL = 10.0  # seconds between two writings of an object, which has all lines again


class Segment:
    """The file ``place``, for one writer at a time; as a context, what was appended is there at its end.

    Args:
        known: what it has already.
    """

    def __init__(self, place: Place, known: Sequence[Record]) -> None:
        self._place = place
        self._lines = [_line(record) for record in known]  # of an object: what it is to have
        self._written = len(known)
        self._at = time.monotonic()

    def append(self, records: Sequence[Record]) -> None:
        """Add records, on disk once this returns; in an object store, soon.

        Raises:
            BadInput, OSError: they cannot be written.
        """
        lines = [_line(record) for record in records]
        if not lines:
            return
        if isinstance(self._place, Path):
            self._place.parent.mkdir(parents=True, exist_ok=True)  # somebody may have removed it
            with self._place.open("ab") as file:
                torn = file.tell() and not _ends_whole(self._place)
                file.write(b"\n" * torn + b"\n".join(lines) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            return
        self._lines += lines
        if time.monotonic() - self._at > INTERVAL:
            self._write()

    def _write(self) -> None:
        if len(self._lines) > self._written:
            write_atomically(self._place, b"\n".join(self._lines) + b"\n")
            self._written = len(self._lines)
        self._at = time.monotonic()

    def __enter__(self) -> Segment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._write()


def _line(record: Record) -> bytes:
    return record.model_dump_json().encode()


def _ends_whole(file: Path) -> bool:
    with file.open("rb") as opened:
        opened.seek(-1, os.SEEK_END)
        return opened.read() == b"\n"


def records_of(place: Place) -> list[Record]:
    """What a segment has, as far as it can be understood; nothing where there is none.

    Raises:
        BadInput, OSError: it is there and cannot be read.
    """
    try:
        return list(_records(read_bytes(place)))
    except FileNotFoundError:
        return []


def _records(data: bytes) -> Iterator[Record]:
    for line in data.split(b"\n"):
        if line:
            try:
                yield read_record(line.decode())
            except (ValueError, KeyError, TypeError, RecursionError):  # torn, or of another version
                continue


def newest(records: Iterable[Record]) -> dict[str, Record]:
    """Of each key the record that was made last."""
    found: dict[str, Record] = {}
    for record in records:
        if record.key not in found or found[record.key].finished_at < record.finished_at:
            found[record.key] = record
    return found
