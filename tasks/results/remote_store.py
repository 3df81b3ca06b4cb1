"""The store of a run whose folder is in an object store: what `results.store` has for a folder of this machine.

Nothing there is a link, has locks, or can be asked for without a request. So folders are listed once for all of their
files, `images/` is filled by copies that the store makes itself, and the locks lie on this machine: two runs of one
machine share their work, while two machines may both do a pair, whose bytes are then the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from upath import UPath

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.results import record_table
from stylebatch.tasks.results.folders import IMAGES, SEGMENT, TABLE, Folders
from stylebatch.tasks.results.record import Record, read_record
from stylebatch.tasks.results.segments import newest, records_of
from stylebatch.tasks.results.store import KEPT, Store
from stylebatch.tasks.storage import cache
from stylebatch.tasks.storage.files import has_digest, read_bytes, remove, write_atomically
from stylebatch.tasks.storage.locks import FileLocks
from stylebatch.tasks.storage.object_stores import (
    clear_errors,
    file_system,
    is_of_bytes,
    listing,
    options_of,
    tree,
    version_in,
)
from stylebatch.tasks.storage.places import Place

if TYPE_CHECKING:
    from prefect.filesystems import RemoteFileSystem

AT_ONCE = 32  # requests


@dataclass(frozen=True)
class RemoteStore(Folders[UPath]):
    """Records and pictures of the run in ``folder``.

    An object sees the folders as they were when it first listed them, and what it has done since. It travels to
    workers as its URL.
    """

    def __reduce__(self) -> tuple[type[RemoteStore], tuple[UPath]]:
        return RemoteStore, (self.folder,)

    @property
    def locks(self) -> FileLocks:
        """One for each key, between all processes of this machine."""
        return FileLocks(cache.folder() / "locks" / self._name)

    @property
    def _name(self) -> str:
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:32]

    @cached_property
    def result_storage(self) -> RemoteFileSystem:
        """Prefect's block for the records. Its server knows it by a name, and learns the URL and no credentials."""
        from prefect.filesystems import RemoteFileSystem

        block = RemoteFileSystem(basepath=str(self.records), settings=options_of(self.folder.protocol))
        block.save(f"stylebatch-{self._name}", overwrite=True, _sync=True)  # type: ignore[call-arg]
        return block

    def create(self) -> None:
        """See that the folder can be written to.

        Raises:
            BadRequest: it cannot.
        """
        self.locks.folder.mkdir(parents=True, exist_ok=True)
        try:
            write_atomically(self.store / ".writable", b"")
        except (OSError, BadInput) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise BadRequest(f"cannot write to {self.folder}: {reason}; choose another with --out") from None

    @cached_property
    def _there(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The files of the folders that matter, by folder and name; those of ``images`` by their paths within it."""
        try:
            flat = {"records": listing(self.records), "pictures": listing(self.pictures)}
            return {**flat, "images": tree(self.images)}
        except (OSError, BadInput) as error:
            raise BadRequest(f"{self.folder} cannot be listed: {error}") from None

    @property
    def _found_whole(self) -> UPath:
        return self.store / "verified.json"

    @cached_property
    def _whole(self) -> dict[str, str]:
        """The versions of pictures that were found whole, with their digests, by key."""
        with suppress(OSError, ValueError):
            known = json.loads(read_bytes(self._found_whole))
            return known if isinstance(known, dict) else {}
        return {}

    def _mark(self, record: Record) -> str:
        """The version of a record's picture, with its digest."""
        name = self.picture(record.key, record.format).name
        return f"{version_in(self._there['pictures'][name])} {record.output_sha256}"

    def find(self, key: str) -> Record | None:
        """The record of ``key``, if its picture is there and is the one that the record speaks of."""
        try:
            record = _parse(key, read_bytes(self.records / key))
            return record if record and self.has(record) else None
        except (OSError, BadInput):
            return None

    def find_all(self, keys: Iterable[str]) -> dict[str, Record]:
        """The records that are there, by their keys; pictures that earlier runs found whole are not read again.

        Raises:
            BadRequest: the store does not let them be read.
        """
        pictures, records = self._there["pictures"], self._there["records"]
        asked = {key: key for key in keys}
        with ThreadPoolExecutor(AT_ONCE) as threads:
            try:
                alone = threads.map(self._read, [key for key in asked if key in records])
                read = newest([*(record for record in alone if record), *self._gathered(asked, threads)]).values()
            except (OSError, BadInput) as error:
                raise BadRequest(f"{self.folder} cannot be read: {error}") from None
            found = [record for record in read if self.picture(record.key, record.format).name in pictures]
            known = {record.key: self._mark(record) for record in found}
            unread = [record for record in found if self._whole.get(record.key) != known[record.key]]
            whole = threads.map(self.has, unread)
            damaged = {record.key for record, is_whole in zip(unread, whole, strict=True) if not is_whole}
        self._save({key: mark for key, mark in known.items() if key not in damaged})
        return {record.key: record for record in found if record.key not in damaged}

    def _gathered(self, keys: Mapping[str, str], threads: Executor) -> Iterator[Record]:
        """The records of keys, each mapped to itself, that segments and tables have."""
        names = self._there["records"]
        for found in threads.map(records_of, [self.records / name for name in names if name.endswith(SEGMENT)]):
            yield from (record for record in found if record.key in keys)
        for data in threads.map(read_bytes, [self.records / name for name in names if name.endswith(TABLE)]):
            with suppress(ValueError, pa.ArrowException):
                yield from record_table.read(data, keys)

    def _read(self, key: str) -> Record | None:
        try:
            return _parse(key, read_bytes(self.records / key))
        except FileNotFoundError:
            return None

    def has(self, record: Record) -> bool:
        """Whether a record's picture is there and is the one that the record speaks of."""
        try:
            return has_digest(self.picture(record.key, record.format), record.output_sha256)
        except (OSError, BadInput):
            return False

    def _save(self, marks: Mapping[str, str]) -> None:
        """Note which pictures are whole. It is only there to save time: an error is no reason to stop."""
        merged = {**self._whole, **marks}
        if merged != self._whole:
            self._whole.update(marks)
            with suppress(OSError, BadInput):
                write_atomically(self._found_whole, json.dumps(merged).encode())

    def discard(self, key: str) -> bool:
        """Remove a record that `find` cannot use: Prefect, which does not look at pictures, would take it for a hit.

        Returns:
            Whether there was one; where another process is at the key, it may have become usable, and is left.
        """
        locks = self.locks
        if key not in self._there["records"] or not locks.acquire_lock(key, "discard", acquire_timeout=0):
            return False
        try:
            damaged = self.find(key) is None
            if damaged:
                remove(self.records / key)
            return damaged
        finally:
            locks.release_lock(key, "discard")

    def discard_all(self, keys: Sequence[str]) -> set[str]:
        """See `Store.discard_all`; where the tables cannot be read, nothing of what is in them is told."""
        damaged = {key for key in keys if self.discard(key)}
        with ThreadPoolExecutor(AT_ONCE) as threads, suppress(OSError, BadInput):
            damaged |= {
                record.key for record in self._gathered({key: key for key in keys}, threads) if not self.has(record)
            }
        return damaged

    def sweep(self) -> None:
        """Remove the errors that Prefect keeps among its results, and note what this run has made."""
        with suppress(OSError, BadInput):  # the next run does it
            for name in listing(self.records):
                if not KEPT.fullmatch(name):
                    remove(self.records / name)
            self._gather()
            pictures = listing(self.pictures)
            self._there["pictures"].update(pictures)
            made = [
                record
                for record in self._published.values()
                if self.picture(record.key, record.format).name in pictures
            ]
            self._save({record.key: self._mark(record) for record in made})

    def _gather(self) -> None:
        """Put the records of chunks into a table, and remove the segments that nobody has written to meanwhile."""

        def segments() -> dict[str, str]:
            return {name: version_in(info) for name, info in listing(self.records).items() if name.endswith(SEGMENT)}

        if before := segments():
            name, data = record_table.written(records_of(self.records / one) for one in before)
            write_atomically(self.table(name), data)
            for one in before.items() & segments().items():
                remove(self.records / one[0])

    def missing(self, outputs: Iterable[str]) -> set[str]:
        """Which of the pictures that were published are not there any more; none where that cannot be told."""
        asked = set(outputs)
        try:
            there = tree(self.images) if asked else {}
        except (OSError, BadInput):
            return set()
        return {output for output in asked if _within_images(output) not in there}

    def publish(self, record: Record, output: str) -> None:
        """Make the record's picture appear as ``output``, unless it is there already.

        Raises:
            BadInput, OSError: the store cannot copy it.
        """
        target, picture = self.folder / output, self.picture(record.key, record.format)
        self._published[record.key] = record
        there = self._there["images"].get(_within_images(output))
        if there and picture.name in self._there["pictures"]:
            mark = self._mark(record)
            # A copy has the bytes of what was found whole where both have the same digest.
            same = version_in(there) == mark.rpartition(" ")[0] and is_of_bytes(mark)
            if same and self._whole.get(record.key) == mark:
                return
        with clear_errors(target):
            file_system(target).cp_file(picture.path, target.path)
        cache.forget(target)

    @cached_property
    def _published(self) -> dict[str, Record]:
        """The records of the pictures that were found whole or made in this run, by key."""
        return {}


AnyStore = Store | RemoteStore


def open_store(folder: Place) -> AnyStore:
    """The store of the run in ``folder``."""
    return Store(folder) if isinstance(folder, Path) else RemoteStore(folder)


def _within_images(output: str) -> str:
    return output.removeprefix(f"{IMAGES}/")


def _parse(key: str, data: bytes) -> Record | None:
    try:
        # Parsed as plain data: Prefect's own reader would import the classes that a record names.
        record = read_record(json.loads(data)["result"])
        return record if record.key == key else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
