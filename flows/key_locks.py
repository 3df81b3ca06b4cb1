"""The locks on the keys of a store, as Prefect's task runs take them."""

from __future__ import annotations

import asyncio

from prefect.locking.protocol import LockManager

from stylebatch.tasks.storage.locks import FileLocks


class KeyLocks(FileLocks, LockManager):
    """Prefect's lock manager.

    Prefect's own writes who holds a lock into a file, which stays behind when a process is killed.
    """

    async def aacquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """`acquire_lock`, for those who must not wait."""
        return await asyncio.to_thread(self.acquire_lock, key, holder, acquire_timeout, hold_timeout)

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """`wait_for_lock`, for those who must not wait."""
        return await asyncio.to_thread(self.wait_for_lock, key, timeout)
