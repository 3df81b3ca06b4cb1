"""The store: records and pictures by key, inside the run's folder.

Prefect writes the records, one JSON file a key, as the results of `stylizing.pair_task.stylize_pair`. Those of pictures
that are painted by the chunk are in segments, and in a table once the run is over. The pictures lie beside them.
``images/`` holds the same pictures under their ids, as links where the file system has links.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.results import record_table
from stylebatch.tasks.results.folders import SEGMENT, TABLE, Folders, picture_name
from stylebatch.tasks.results.record import Record, read_record
from stylebatch.tasks.results.segments import newest, records_of
from stylebatch.tasks.results.verified import Verified
from stylebatch.tasks.storage.files import has_digest, names_in, write_atomically
from stylebatch.tasks.storage.locks import FileLocks

KEPT = re.compile(rf"[0-9a-f]{{64}}({re.escape(SEGMENT)}|{re.escape(TABLE)})?")
LEFT_BEHIND = 3600.0  # seconds after which a file that is being written is one that nobody writes any more


@dataclass(frozen=True)
class Store(Folders[Path]):
    """Records and pictures of the run in ``folder``."""

    @property
    def result_storage(self) -> Path:
        """Where the records are, as Prefect takes it."""
        return self.records

    def verified(self) -> Verified:
        """What earlier runs know of the pictures."""
        return Verified(self.store / "verified", self.pictures)

    @property
    def locks(self) -> FileLocks:
        """One for each key, between all processes of this machine."""
        return FileLocks(self.store / "locks")

    def create(self) -> None:
        """Make the folder.

        Raises:
            BadRequest: it cannot be made or written to.
        """
        try:
            self.records.mkdir(parents=True, exist_ok=True)
            self.pictures.mkdir(exist_ok=True)
            self.locks.folder.mkdir(exist_ok=True)
            self.images.mkdir(exist_ok=True)
            (self.records / ".writable").touch()  # mkdir is content with folders that are there, writable or not
        except OSError as error:
            raise BadRequest(f"cannot write to {self.folder}: {error.strerror}; choose another with --out") from None

    def find(self, key: str, whole: Verified | None = None) -> Record | None:
        """The record of ``key``, if its picture is there and is the one that the record speaks of.

        Args:
            whole: tells whether that is so; without it, the picture is read.
        """
        try:
            # Parsed as plain data: Prefect's own reader would import the classes that a record names.
            record = read_record(json.loads((self.records / key).read_bytes())["result"])
            return record if record.key == key and self.has(record, whole) else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def find_all(self, keys: Iterable[str]) -> dict[str, Record]:
        """The records that are there, by their keys; pictures that earlier runs found whole are not read again."""
        asked, verified = {key: key for key in keys}, self.verified()
        alone = (self.find(key, verified) for key in asked.keys() & names_in(self.records))
        found = newest(chain((one for one in alone if one), self._gathered(asked)))
        for key in [key for key, record in found.items() if not self.has(record, verified)]:
            del found[key]
        verified.save()
        return found

    def _gathered(self, keys: Mapping[str, str]) -> Iterator[Record]:
        """The records of keys, each mapped to itself, that segments and tables have."""
        for segment in self._ending_in(SEGMENT):
            with suppress(OSError):
                yield from (record for record in records_of(segment) if record.key in keys)
        for table in self._ending_in(TABLE):  # listed later: a segment goes when a table has what was in it
            with suppress(OSError, ValueError, pa.ArrowException):
                yield from record_table.read(table.read_bytes(), keys)

    def _ending_in(self, ending: str) -> list[Path]:
        return [self.records / name for name in names_in(self.records) if name.endswith(ending)]

    def has(self, record: Record, whole: Verified | None = None) -> bool:
        """Whether a record's picture is there and is the one that the record speaks of, as for `find`."""
        try:
            if whole:
                return whole(picture_name(record.key, record.format), record.output_sha256)
            return has_digest(self.picture(record.key, record.format), record.output_sha256)
        except OSError:
            return False

    def discard_all(self, keys: Sequence[str]) -> set[str]:
        """Remove records that cannot be used: Prefect, which does not look at pictures, would take them for hits.

        Args:
            keys: that `find_all` has not found.

        Returns:
            The keys that there were records of. Where another process is at a key, its record may have become usable,
            and is left.
        """
        asked = {key: key for key in keys}
        damaged = {key for key in asked.keys() & names_in(self.records) if self.discard(key)}
        return damaged | {record.key for record in self._gathered(asked) if not self.has(record)}

    def discard(self, key: str) -> bool:
        """Remove a record that `find` cannot use: Prefect, which does not look at pictures, would take it for a hit.

        Returns:
            Whether there was one; where another process is at the key, it may have become usable, and is left.
        """
        file, locks = self.records / key, self.locks
        if not file.exists() or not locks.acquire_lock(key, "discard", acquire_timeout=0):
            return False
        try:
            damaged = self.find(key) is None
            if damaged:
                file.unlink(missing_ok=True)
            return damaged
        finally:
            locks.release_lock(key, "discard")

    def sweep(self) -> None:
        """Remove what no key leads to: errors that Prefect keeps among its results, and what a killed run left."""
        leftovers = [self.records / name for name in names_in(self.records) if not KEPT.fullmatch(name)]
        for folder in (self.folder, self.images, self.pictures, self.traces):
            leftovers += filter(_is_left_behind, _unfinished(folder))
        for file in leftovers:
            file.unlink(missing_ok=True)
        with suppress(OSError):  # the next run does it
            self._gather()

    def _gather(self) -> None:
        """Put the records of chunks that nobody is at any more into a table."""
        locks = self.locks
        ended = [one for one in self._ending_in(SEGMENT) if locks.acquire_lock(one.stem, "gather", acquire_timeout=0)]
        try:
            if ended:
                name, data = record_table.written(map(records_of, ended))
                write_atomically(self.table(name), data)
            for segment in ended:
                segment.unlink(missing_ok=True)
        finally:
            for segment in ended:
                locks.release_lock(segment.stem, "gather")

    def missing(self, outputs: Iterable[str]) -> set[str]:
        """Which of the pictures that were published are not there any more."""
        return {output for output in outputs if not os.path.exists(f"{self.folder}/{output}")}

    def publish(self, record: Record, output: str) -> None:
        """Make the record's picture appear as ``output``, unless it is there already."""
        # A path takes ten times as long to make as a text, and here are a million that need nothing more.
        files = f"{self.folder}/{output}", f"{self.pictures}/{picture_name(record.key, record.format)}"
        if _is_same(*files, record.output_sha256):
            return
        target, picture = map(Path, files)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.images / f".{uuid.uuid4().hex}.part"  # not beside it, where `sweep` would have to look
        try:
            try:
                os.link(picture, temporary)
            except OSError:  # a file system without links
                shutil.copy2(picture, temporary)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def _unfinished(folder: Path) -> Iterator[Path]:
    """The files in a folder that are being written, or were when their writer was killed."""
    # Not by `glob`, which holds all names of a folder at once: those of a million pictures take 200 MB.
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from (
            folder / entry.name for entry in entries if entry.name.startswith(".") and entry.name.endswith(".part")
        )


def _is_left_behind(file: Path) -> bool:
    with suppress(FileNotFoundError):  # it has been finished meanwhile
        return time.time() - file.stat().st_mtime > LEFT_BEHIND
    return False


def _is_same(target: str, picture: str, sha256: str) -> bool:
    """Whether ``target`` has the picture's bytes: it is a link to it, an untouched copy, or has the digest."""
    try:
        there, stored = os.stat(target), os.stat(picture)
    except FileNotFoundError:
        return False
    if os.path.samestat(there, stored):
        return True
    untouched = (there.st_size, there.st_mtime_ns) == (stored.st_size, stored.st_mtime_ns)
    return stat.S_ISREG(there.st_mode) and (untouched or has_digest(Path(target), sha256))
