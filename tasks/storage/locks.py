"""Locks on the keys of a store, so that two runs into one folder at once compute no pair twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout


@dataclass
class FileLocks:
    """Locks of the operating system on the files of a folder, which end with the process that holds them."""

    folder: Path
    _held: dict[str, tuple[str, FileLock]] = field(default_factory=dict, init=False, repr=False)

    def acquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """Lock ``key``; waits ``acquire_timeout`` seconds for another process, or for as long as it takes."""
        if self.is_lock_holder(key, holder):
            return True
        lock = FileLock(self.folder / key, thread_local=False)
        try:
            lock.acquire(timeout=-1 if acquire_timeout is None else acquire_timeout)
        except Timeout:
            return False
        self._held[key] = holder, lock
        return True

    def release_lock(self, key: str, holder: str) -> None:
        """Give back what `acquire_lock` gave to ``holder``."""
        if not self.is_lock_holder(key, holder):
            raise ValueError(f"{holder} does not hold the lock on {key}")
        _, lock = self._held.pop(key)
        lock.release()

    def is_locked(self, key: str) -> bool:
        """Whether somebody holds the lock."""
        return not self.wait_for_lock(key, timeout=0)

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Whether ``holder``, in this process, holds the lock."""
        return key in self._held and self._held[key][0] == holder

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until the lock is free; False where it is not within ``timeout`` seconds."""
        try:
            with FileLock(self.folder / key).acquire(timeout=-1 if timeout is None else timeout):
                return True
        except Timeout:
            return False
