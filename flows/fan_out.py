"""Fan jobs out over the devices: a task run a key, and never more of them in flight than there are devices."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from typing import Any
from uuid import UUID

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture

from tasks.jobs import Job
from tasks.progress import stopping
from tasks.record import Record
from tasks.store import Store
from tasks.stylize import BY_KEY, stylize_pair

_Future = PrefectFuture[dict[str, Any]]
_Ended = tuple[Job, str, _Future]
Finished = tuple[Job, Record | Exception, int | None]


@contextmanager
def fan_out(
    jobs: Sequence[Job], store: Store, devices: Sequence[str], refresh: bool, trace: bool
) -> Iterator[Iterator[Finished]]:
    """Stylize jobs, each on a device of its own.

    Gives an iterator over the jobs as they are finished, each with its record, or with its error and how often it was
    tried. When the context is left before the iterator is at its end, pairs in progress stop after their next step.
    """
    context = stopping.set(stop := threading.Event())
    try:
        yield _finished(jobs, store, devices, refresh, trace)
    finally:
        stop.set()
        stopping.reset(context)


def _finished(
    jobs: Sequence[Job], store: Store, devices: Sequence[str], refresh: bool, trace: bool
) -> Iterator[Finished]:
    tried: dict[UUID, int] = {}

    def failed(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> None:
        tried[run.id] = run.run_count

    # Serializable: where another process is at the same key, its record is waited for instead of being made again.
    policy = BY_KEY.configure(lock_manager=store.locks, isolation_level="SERIALIZABLE")
    submit = stylize_pair.with_options(
        result_storage=store.records, refresh_cache=refresh, cache_policy=policy, on_failure=[failed]
    ).submit
    free = list(devices)
    finished: SimpleQueue[_Ended] = SimpleQueue()
    in_flight = 0
    waiting = iter(jobs)
    while True:
        while free and (job := next(waiting, None)):
            device = free.pop()
            future = submit(job, store, device, trace)
            future.add_done_callback(partial(_finish, finished, job, device))
            in_flight += 1
        if not in_flight:
            return
        job, device, future = finished.get()
        in_flight -= 1
        free.append(device)
        yield job, _result(future), tried.pop(future.task_run_id, None)


def _finish(finished: SimpleQueue[_Ended], job: Job, device: str, future: _Future) -> None:
    finished.put((job, device, future))


def _result(future: _Future) -> Record | Exception:
    result: Any = future.result(raise_on_failure=False)
    return result if isinstance(result, Exception) else Record.model_validate(result)
