"""Which stored pictures were found whole, so that the next run need not read them all again."""

from __future__ import annotations

import os
import time
from hashlib import blake2b
from pathlib import Path

from stylebatch.tasks.storage.files import sha256_of, write_atomically

# A file that was changed this recently (ns) may change again without another time: some file systems count in 2 s.
SETTLING = 2_000_000_000
MARK = 16  # bytes


class Verified:
    """Tells whether pictures have the digests they should have; one is read again once its size or time has changed.

    What was found is kept in ``path``, a mark for each: the digest of its name, size, time and digest. Without that
    file, or where it is damaged, everything is read.
    """

    def __init__(self, path: Path, pictures: Path) -> None:
        self._path = path
        self._pictures = str(pictures)
        self._changed = False
        try:
            known = path.read_bytes()
        except OSError:
            known = b""
        self._known = {known[start : start + MARK] for start in range(0, len(known), MARK)}

    def __call__(self, name: str, sha256: str) -> bool:
        """Whether the bytes of the picture ``name`` have this SHA-256.

        Raises:
            OSError: it cannot be read.
        """
        file = f"{self._pictures}/{name}"
        found = os.stat(file)
        mark = blake2b(f"{name} {found.st_size} {found.st_mtime_ns} {sha256}".encode(), digest_size=MARK).digest()
        if mark in self._known:
            return True
        if sha256_of(Path(file)) != sha256:
            return False
        if time.time_ns() - found.st_mtime_ns > SETTLING:
            self._known.add(mark)
            self._changed = True
        return True

    def save(self) -> None:
        """Write down what was found. It is only there to save time: an error is no reason to stop."""
        if self._changed:
            try:
                write_atomically(self._path, b"".join(self._known))
            except OSError:
                return
            self._changed = False
