"""Locks between processes, which end with them."""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from prefect.locking.protocol import LockManager

from stylebatch.flows.key_locks import KeyLocks
from stylebatch.tasks.storage.locks import FileLocks
from tests.waiting import FUSE


def hold(folder: Path, told: Connection) -> None:
    locks = FileLocks(folder)  # which gives its locks back when it goes
    assert locks.acquire_lock("key", "other")
    told.send("held")
    told.recv()  # for ever


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    assert locks.acquire_lock("key", "me")
    assert locks.acquire_lock("key", "me"), "it is mine already"
    assert locks.is_lock_holder("key", "me")
    assert not locks.is_lock_holder("key", "you")
    assert locks.is_locked("key")
    assert not locks.acquire_lock("key", "you", acquire_timeout=0)
    with pytest.raises(ValueError, match="does not hold"):
        locks.release_lock("key", "you")
    locks.release_lock("key", "me")
    assert not locks.is_locked("key")


def test_prefect_waits_for_them_without_being_held_up(tmp_path: Path) -> None:
    locks = KeyLocks(tmp_path)
    assert isinstance(locks, LockManager)
    assert asyncio.run(locks.aacquire_lock("key", "you"))
    assert FileLocks(tmp_path).is_locked("key")
    locks.release_lock("key", "you")
    assert asyncio.run(locks.await_for_lock("key", timeout=0))


def test_a_lock_ends_with_the_process_that_holds_it(tmp_path: Path) -> None:
    here, there = multiprocessing.Pipe()
    holder = multiprocessing.get_context("fork").Process(target=hold, args=(tmp_path, there))
    holder.start()
    try:
        assert here.poll(FUSE), "the lock is not held"
        locks = FileLocks(tmp_path)
        assert not locks.wait_for_lock("key", timeout=0.1)
        assert not locks.acquire_lock("key", "me", acquire_timeout=0.1)
        holder.kill()
        assert locks.acquire_lock("key", "me", acquire_timeout=FUSE)
    finally:
        holder.kill()
        holder.join()
