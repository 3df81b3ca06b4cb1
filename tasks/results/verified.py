"""Which stored pictures were found whole, so that the next run need not read them all again."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from stylebatch.tasks.storage.files import sha256_of, write_atomically

# A file that was changed this recently (ns) may change again without another time: some file systems count in 2 s.
SETTLING = 2_000_000_000


class Verified:
    """Tells whether files have the digests they should have; a file is read again once its size or time has changed.

    What was found is kept in ``path``. Without that file, or where it is damaged, everything is read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = False
        self._known: dict[str, str] = {}
        try:
            known = json.loads(path.read_bytes())
            self._known = known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            pass

    def __call__(self, path: Path, sha256: str) -> bool:
        """Whether the file's bytes have this SHA-256.

        Raises:
            OSError: it cannot be read.
        """
        found = os.stat(path)
        mark = f"{found.st_size} {found.st_mtime_ns} {sha256}"
        if self._known.get(path.name) == mark:
            return True
        if sha256_of(path) != sha256:
            return False
        if time.time_ns() - found.st_mtime_ns > SETTLING:
            self._known[path.name] = mark
            self._changed = True
        return True

    def save(self) -> None:
        """Write down what was found. It is only there to save time: an error is no reason to stop."""
        if self._changed:
            try:
                write_atomically(self._path, json.dumps(self._known).encode())
            except OSError:
                return
            self._changed = False
