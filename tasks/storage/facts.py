"""What was found out about files in object stores, by their versions: known though the cache has the bytes no longer.

A run needs the digests and sizes of all of its pictures, and the bytes of those alone that are not done yet.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from stylebatch.tasks.storage import cache
from stylebatch.tasks.storage.places import Place

MOST = 500_000  # rows, of some 150 bytes; the oldest go
BUSY = 10.0  # seconds to wait for another process
Kind = Literal["sha256", "size"]
_lock = threading.Lock()
_connections: dict[tuple[int, Path], sqlite3.Connection] = {}


def known(place: Place, kind: Kind, find: Callable[[], str]) -> str:
    """What ``find`` tells of a file's bytes; it is not asked again about the same version.

    Raises:
        What ``find`` raises.
    """
    found = None if isinstance(place, Path) else _read(cache.name_of(place), kind)
    if found is not None:
        return found
    found = find()
    if not isinstance(place, Path) and (name := cache.name_of(place)):  # the version that has been read by now
        _write(name, kind, found)
    return found


def is_known(place: Place) -> bool:
    """Whether all is known of a file's version, as far as this process has seen that."""
    name = None if isinstance(place, Path) else cache.name_of(place)
    return _read(name, "sha256") is not None and _read(name, "size") is not None


def _connect() -> sqlite3.Connection:
    file = cache.folder() / "facts.sqlite3"
    if (os.getpid(), file) not in _connections:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=BUSY, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT, kind TEXT, value TEXT, UNIQUE (name, kind))")
        connection.execute("DELETE FROM facts WHERE rowid <= (SELECT max(rowid) FROM facts) - ?", (MOST,))
        _connections[os.getpid(), file] = connection
    return _connections[os.getpid(), file]


def _read(name: str | None, kind: Kind) -> str | None:
    """A fact; none where there is none, or it cannot be read: it is only there to save time."""
    if name is None:
        return None
    with suppress(sqlite3.Error, OSError), _lock:
        found = _connect().execute("SELECT value FROM facts WHERE name = ? AND kind = ?", (name, kind)).fetchone()
        return str(found[0]) if found else None
    return None


def _write(name: str, kind: Kind, value: str) -> None:
    with suppress(sqlite3.Error, OSError), _lock:
        _connect().execute("REPLACE INTO facts VALUES (?, ?, ?)", (name, kind, value))
