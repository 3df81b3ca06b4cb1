"""Fan jobs out over the slots: a task run a key, and never more of them handed out than there is room for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from typing import Any

from prefect.futures import PrefectFuture

from flows.runners import Placement, Workers
from tasks.jobs import Job
from tasks.progress import stopping
from tasks.record import Record
from tasks.remote_store import AnyStore
from tasks.stylize import BY_KEY, attempts_of, stylize_pair

_Future = PrefectFuture[dict[str, Any]]
_Ended = tuple[Job, _Future]
Finished = tuple[Job, Record | Exception, int | None]


@contextmanager
def fan_out(
    jobs: Sequence[Job], store: AnyStore, placement: Placement, refresh: bool, trace: bool
) -> Iterator[Iterator[Finished]]:
    """Stylize jobs, each in a slot of its own.

    Gives an iterator over the jobs as they are finished, each with its record, or with its error and how often it was
    tried. When the context is left before the iterator is at its end, pairs in progress stop after their next step, or
    are left to a cluster that goes on.
    """
    if not jobs:  # nothing to start a cluster for
        yield iter(())
        return
    context = stopping.set(stop := threading.Event())
    try:
        with placement.start() as workers:
            try:
                yield _finished(jobs, store, workers, refresh, trace)
            finally:
                stop.set()
    finally:
        stopping.reset(context)


def _finished(jobs: Sequence[Job], store: AnyStore, workers: Workers, refresh: bool, trace: bool) -> Iterator[Finished]:
    # Serializable: where another process is at the same key, its record is waited for instead of being made again.
    policy = BY_KEY.configure(lock_manager=store.locks, isolation_level="SERIALIZABLE")
    task = stylize_pair.with_options(result_storage=store.result_storage, refresh_cache=refresh, cache_policy=policy)
    finished: SimpleQueue[_Ended] = SimpleQueue()
    in_flight = 0
    waiting = iter(jobs)
    while True:
        while in_flight < workers.room and (job := next(waiting, None)):
            future = workers.submit(task, {"job": job, "store": store, "leases": workers.leases, "trace": trace})
            future.add_done_callback(partial(_finish, finished, job))
            in_flight += 1
        if not in_flight:
            return
        job, future = finished.get()
        in_flight -= 1
        result = _result(future)
        yield job, result, attempts_of(result) if isinstance(result, Exception) else None


def _finish(finished: SimpleQueue[_Ended], job: Job, future: _Future) -> None:
    finished.put((job, future))


def _result(future: _Future) -> Record | Exception:
    try:
        result: Any = future.result(raise_on_failure=False)
    except Exception as error:  # the worker's end, and not the pair's
        return error
    return result if isinstance(result, Exception) else Record.model_validate(result)
