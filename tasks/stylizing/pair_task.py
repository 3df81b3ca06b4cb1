"""The step of `stylize` as Prefect's tasks: cached by the pair's key and tried again, or for a chunk of rows."""

from __future__ import annotations

import time
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE, CacheKeyFnPolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from stylebatch.tasks.devices.leases import Leases
from stylebatch.tasks.plan.chunks import Chunk
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.stylizing.chunk import stylize_chunk
from stylebatch.tasks.stylizing.stylize import is_transient, stylize_if_it_fits


def retry_where_it_may_help(task: Task[Any, Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Prefect's question whether to try again."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, BaseException) and is_transient(error)


def attempts_of(error: BaseException) -> int | None:
    """How often a pair was tried that ended with this error, as far as it came to be tried."""
    return vars(error).get(ATTEMPTS)


# On the error itself, since the process that computes may be another one.
ATTEMPTS = "attempts"
BY_KEY = CacheKeyFnPolicy(cache_key_fn=lambda context, parameters: parameters["job"].key)


@task(
    task_run_name="{job.id}",
    cache_policy=BY_KEY,
    persist_result=True,
    result_serializer="json",
    cache_result_in_memory=False,
    retries=3,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=0.5,
    retry_condition_fn=retry_where_it_may_help,
)
def stylize_pair(job: Job, store: AnyStore, leases: Leases, trace: bool = False) -> dict[str, Any]:
    """`stylize` as a Prefect task: cached by the pair's key, and tried again where that may help.

    Returns:
        The record, as JSON's types.
    """
    context = TaskRunContext.get()
    attempts = context.task_run.run_count if context else 1
    try:
        record = stylize_if_it_fits(job, store, leases, trace, attempts > 1)
    except Exception as error:
        vars(error)[ATTEMPTS] = attempts
        raise
    return record.model_copy(update={"attempts": attempts}).model_dump(mode="json")


@task(
    task_run_name="{chunk.title}",
    cache_policy=NO_CACHE,
    persist_result=False,
    result_serializer="json",
    cache_result_in_memory=False,
)
def carry_out_chunk(
    chunk: Chunk, store: AnyStore, leases: Leases, refresh: bool = False, trace: bool = False
) -> dict[str, Any]:
    """`stylize_chunk` as a Prefect task.

    It is not tried again: the jobs that it leaves are stylized one by one.

    Returns:
        ``records``, in the order of the jobs, as JSON's types, or nothing for a job that is left; and the ``seconds``
        that it took.
    """
    began = time.monotonic()
    records = stylize_chunk(chunk, store, leases, refresh, trace)
    return {
        "records": [record.model_dump(mode="json") if record else None for record in records],
        "seconds": time.monotonic() - began,
    }
