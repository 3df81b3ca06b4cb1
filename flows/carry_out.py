"""The core that all flows which stylize have in common: work is fanned out, and every row is settled."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from prefect import get_run_logger

from stylebatch.flows.artifacts import Artifacts
from stylebatch.flows.fan_out import fan_out
from stylebatch.flows.interrupt import first_when_interrupted
from stylebatch.flows.runners import Placement
from stylebatch.flows.settling import clear_others, lose_missing, settle_known, wind_up
from stylebatch.flows.text import warning_of
from stylebatch.flows.tries import Tries
from stylebatch.tasks.plan.batches import in_batches
from stylebatch.tasks.plan.jobs import Job, check_decoding
from stylebatch.tasks.progress import watcher
from stylebatch.tasks.results.remote_store import AnyStore, open_store
from stylebatch.tasks.runs.ledger import Ledger
from stylebatch.tasks.runs.report import Outcomes, content_lost
from stylebatch.tasks.runs.work import Work


def carry_out(
    work: Work,
    ledger: Ledger,
    placement: Placement,
    refresh: bool = False,
    max_failures: int | None = None,
    trace: bool = False,
    allow_http: bool = False,
    grids: bool = True,
) -> Outcomes:
    """Stylize what is not done, and write pictures, grids and report into the ledger's folder.

    Args:
        placement: where the pairs are to be computed.
        refresh: make the records anew that are not in ``work.known``, also where the store has them.
        max_failures: failed rows at which to stop; those that are left have no outcome.
        trace: also keep the loss curves of the pairs that are stylized, as ``traces.parquet``.
        allow_http: let the originals of the grids be read from the web.
        grids: draw them; otherwise those of an earlier run go, since they would show what was.

    Returns:
        What became of each row, in the manifest's order.
    """
    store = open_store(ledger.folder)
    artifacts = Artifacts(ledger.manifest, ledger.rows)
    tries = Tries(work, store)
    todo, undecodable, sizes = check_decoding(tries.undecided())
    waiting = tries.wait_for(todo)
    # The cluster is left after the ledger: it may take its time, and a signal leaves little.
    with ExitStack() as cluster, first_when_interrupted(ledger.close), ledger:
        if not refresh:
            ledger.damaged = _discard(waiting, store)
            watcher.get().damaged(ledger.damaged)
        settle_known(work, ledger, store, undecodable)
        watcher.get().planned(waiting, ledger.outcomes)
        artifacts.advance(ledger.outcomes, len(ledger.outcomes))
        while waiting and not (max_failures and ledger.failures >= max_failures):
            suited = placement.suited(waiting)
            batches = in_batches(waiting, sizes, suited.slots)
            results = cluster.enter_context(fan_out(batches, store, suited, refresh, trace))
            waiting = []
            while (max_failures is None or ledger.failures < max_failures) and (ended := next(results, None)):
                settled_now, others = tries.settle(*ended)
                waiting += others
                ledger.add(settled_now)
                for job in others:
                    watcher.get().retried(job)
                watcher.get().finished(ended[0], settled_now)
                artifacts.advance(settled_now, len(ledger.outcomes))
            if waiting and not refresh:
                ledger.damaged += _discard(waiting, store)
            if waiting:
                cluster.close()
        if ledger.before:  # what was the result until this run came to its row, by another name
            clear_others(work, ledger, store)
        artifacts.advance(lose_missing(work, ledger, store), len(ledger.outcomes))
    artifacts.show(wind_up(ledger, store, trace, allow_http, grids))
    artifacts.summarize(ledger.outcomes)
    if lost := content_lost(ledger.outcomes):
        get_run_logger().warning(warning_of(lost))
    return ledger.outcomes


def _discard(jobs: Sequence[Job], store: AnyStore) -> list[str]:
    """Remove records that cannot be used; the ids of the rows that they were of."""
    damaged = store.discard_all([job.key for job in jobs])
    return [job.id for job in jobs if job.key in damaged]
