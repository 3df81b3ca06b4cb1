"""Fan jobs out over the slots: a task run a key, and never more of them handed out than there is room for."""

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
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.progress import stopping
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.stylizing.pair_task import BY_KEY, attempts_of, stylize_batch, stylize_pair

_Batch = Sequence[Job]
_Ended = tuple[_Batch, PrefectFuture[Any]]
Finished = tuple[Job, Record | Exception, int | None]


@contextmanager
def fan_out(
    batches: Sequence[_Batch], store: AnyStore, placement: Placement, refresh: bool, trace: bool
) -> Iterator[Iterator[Finished]]:
    """Stylize jobs, each batch in a slot of its own.

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
    together = stylize_batch.with_options()
    storage = store.result_storage
    # Not by `with_options`, which takes such a folder only where a server has been told of it.
    single.result_storage = together.result_storage = (
        WholeFiles(basepath=str(storage)) if isinstance(storage, Path) else storage
    )
    finished: SimpleQueue[_Ended] = SimpleQueue()
    in_flight = 0
    waiting = deque(batches)
    while True:
        while in_flight < workers.room and waiting:
            batch = waiting.popleft()
            given = {"store": store, "leases": workers.leases}
            if len(batch) == 1:
                future = workers.submit(single, {"job": batch[0], **given, "trace": trace})
            else:
                future = workers.submit(together, {"jobs": batch, **given})
            future.add_done_callback(partial(_finish, finished, batch))
            in_flight += 1
        if not in_flight:
            return
        batch, future = finished.get()
        in_flight -= 1
        result = _result(future)
        if not isinstance(result, Exception):
            yield from ((job, Record.model_validate(one), None) for job, one in zip(batch, result, strict=True))
        elif len(batch) == 1:
            yield batch[0], result, attempts_of(result)
        else:  # one of them is at fault, or the batch as a whole: each by itself, then
            waiting.extendleft([job] for job in reversed(batch))


def _finish(finished: SimpleQueue[_Ended], batch: _Batch, future: PrefectFuture[Any]) -> None:
    finished.put((batch, future))


def _result(future: PrefectFuture[Any]) -> list[Any] | Exception:
    """The records of a batch, or the error that it ended with."""
    try:
        result: Any = future.result(raise_on_failure=False)
    except Exception as error:  # the worker's end, and not the pair's
        return error
    return result if isinstance(result, Exception | list) else [result]
