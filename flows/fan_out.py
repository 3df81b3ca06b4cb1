"""Fan jobs out over the slots: a task run for a key or a chunk of them, and no more than there is room for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from prefect.futures import PrefectFuture

from stylebatch.flows.key_locks import KeyLocks
from stylebatch.flows.runners import Placement, Workers
from stylebatch.flows.whole_files import WholeFiles
from stylebatch.tasks.plan.chunks import Chunk, Pace
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.progress import stopping
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.stylizing.pair_task import BY_KEY, attempts_of, carry_out_chunk, stylize_pair

_Batch = Sequence[Job]
Finished = tuple[Job, Record | Exception, int | None]


@contextmanager
def fan_out(
    batches: Sequence[_Batch], store: AnyStore, placement: Placement, refresh: bool, trace: bool
) -> Iterator[Iterator[Finished]]:
    """Stylize jobs: by the chunk what a network paints and what goes in company, each of the others by itself.

    Gives an iterator over the jobs as they are finished, each with its record, or with its error and how often it was
    tried. When the context is left before the iterator is at its end, pairs in progress stop after their next step, or
    are left to a cluster that goes on.
    """
    if not batches:  # nothing to start a cluster for
        yield iter(())
        return
    context = stopping.set(stop := threading.Event())
    try:
        with placement.start() as workers:
            try:
                yield _finished(batches, store, workers, refresh, trace)
            finally:
                stop.set()
    finally:
        stopping.reset(context)


def _finished(
    batches: Sequence[_Batch], store: AnyStore, workers: Workers, refresh: bool, trace: bool
) -> Iterator[Finished]:
    # Serializable: where another process is at the same key, its record is waited for instead of being made again.
    locks = KeyLocks(store.locks.folder)
    policy = BY_KEY.configure(lock_manager=locks, isolation_level="SERIALIZABLE")
    single = stylize_pair.with_options(refresh_cache=refresh, cache_policy=policy)
    together = carry_out_chunk.with_options()
    storage = store.result_storage
    # Not by `with_options`, which takes such a folder only where a server has been told of it.
    single.result_storage = together.result_storage = (
        WholeFiles(basepath=str(storage)) if isinstance(storage, Path) else storage
    )
    finished: SimpleQueue[tuple[Chunk | Job, PrefectFuture[Any]]] = SimpleQueue()
    in_flight, pace = 0, Pace()
    alone: deque[Job] = deque()  # jobs that their chunk has left
    waiting = deque(batches)
    given = {"store": store, "leases": workers.leases, "trace": trace}
    while True:
        while in_flight < workers.room and (alone or waiting):
            asked: Chunk | Job
            if alone:
                asked = alone.popleft()
            elif len(waiting[0]) > 1 or waiting[0][0].painted_only:
                asked = pace.take(waiting, workers.room)
            else:
                (asked,) = waiting.popleft()
            if isinstance(asked, Chunk):
                future = workers.submit(together, {"chunk": asked, **given, "refresh": refresh})
            else:
                future = workers.submit(single, {"job": asked, **given})
            future.add_done_callback(partial(_finish, finished, asked))
            in_flight += 1
        if not in_flight:
            return
        asked, future = finished.get()
        in_flight -= 1
        result = _result(future)
        if isinstance(asked, Job):
            if isinstance(result, Exception):
                yield asked, result, attempts_of(result)
            else:
                yield asked, Record.model_validate(result), None
            continue
        if isinstance(result, Exception):  # what it had done before that is kept
            kept = {} if refresh else store.find_all(job.key for job in asked.jobs)
            records = [kept.get(job.key) for job in asked.jobs]
        else:
            records = [Record.model_validate(record) if record else None for record in result["records"]]
            if asked.painted_only:
                pace.ended(len(records), result["seconds"])
        alone += (job for job, record in zip(asked.jobs, records, strict=True) if not record)
        yield from ((job, record, None) for job, record in zip(asked.jobs, records, strict=True) if record)


def _finish(
    finished: SimpleQueue[tuple[Chunk | Job, PrefectFuture[Any]]], asked: Chunk | Job, future: PrefectFuture[Any]
) -> None:
    finished.put((asked, future))


def _result(future: PrefectFuture[Any]) -> Any:
    """What a task has returned, or the error that it ended with."""
    try:
        return future.result(raise_on_failure=False)
    except Exception as error:  # the worker's end, and not the pair's
        return error
