"""The step of `stylize` as Prefect's tasks: cached by the pair's key, tried again, and several in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE, CacheKeyFnPolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.results import get_result_store
from prefect.tasks import exponential_backoff

from stylebatch.tasks.devices.leases import Leases
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.stylizing.stylize import is_transient, stylize_if_it_fits, stylize_together


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
    task_run_name="{jobs[0].id} and more, in one pass",
    cache_policy=NO_CACHE,
    persist_result=False,
    result_serializer="json",
    cache_result_in_memory=False,
)
def stylize_batch(jobs: Sequence[Job], store: AnyStore, leases: Leases) -> list[dict[str, Any]]:
    """`stylize_together` as a Prefect task, which leaves the records where `stylize_pair` would look for them.

    It is not tried again: where it fails, its jobs are stylized one by one.

    Returns:
        The records in the order of the jobs, as JSON's types.
    """
    records = [record.model_dump(mode="json") for record in stylize_together(jobs, store, leases)]
    results = get_result_store()
    for record in records:
        results.write(record, key=record["key"])
    return records
