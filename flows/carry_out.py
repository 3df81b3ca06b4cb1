"""The core that all flows which stylize have in common: work is fanned out, and every row is settled."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack

from prefect import get_run_logger

from stylebatch.flows.artifacts import Artifacts
from stylebatch.flows.fan_out import fan_out
from stylebatch.flows.interrupt import first_when_interrupted
from stylebatch.flows.runners import Placement
from stylebatch.flows.settling import clear_others, lose_missing, settle, settle_known, wind_up
from stylebatch.flows.text import warning_of
from stylebatch.tasks.plan.batches import in_batches
from stylebatch.tasks.plan.jobs import Job, check_decoding
from stylebatch.tasks.progress import watcher
from stylebatch.tasks.results.remote_store import open_store
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
    store, known = open_store(ledger.folder), work.known
    artifacts = Artifacts(ledger.manifest, ledger.rows)
    todo, undecodable, sizes = check_decoding(job for job in work.jobs if job.key not in known)
    rows_of: dict[str, list[Job]] = defaultdict(list)  # rows with equal keys share one picture
    for job in todo:
        rows_of[job.key].append(job)
    once = [rows[0] for rows in rows_of.values()]
    # The cluster is left after the ledger: it may take its time, and a signal leaves little.
    with ExitStack() as cluster, first_when_interrupted(ledger.close), ledger:
        if not refresh:
            damaged = store.discard_all([job.key for job in once])
            ledger.damaged = [job.id for job in once if job.key in damaged]
            watcher.get().damaged(ledger.damaged)
        settle_known(work, ledger, store, undecodable)
        watcher.get().planned(once, ledger.outcomes)
        artifacts.advance(ledger.outcomes, len(ledger.outcomes))
        results = cluster.enter_context(fan_out(in_batches(once, sizes), store, placement, refresh, trace))
        while (max_failures is None or ledger.failures < max_failures) and (ended := next(results, None)):
            job, result, attempts = ended
            settled_now = [settle(store, row, result, "completed", attempts) for row in rows_of[job.key]]
            ledger.add(settled_now)
            watcher.get().finished(job, settled_now)
            artifacts.advance(settled_now, len(ledger.outcomes))
        if ledger.before:  # what was the result until this run came to its row, by another name
            clear_others(work, ledger)
        artifacts.advance(lose_missing(work, ledger, store), len(ledger.outcomes))
    artifacts.show(wind_up(ledger, store, trace, allow_http, grids))
    artifacts.summarize(ledger.outcomes)
    if lost := content_lost(ledger.outcomes):
        get_run_logger().warning(warning_of(lost))
    return ledger.outcomes
