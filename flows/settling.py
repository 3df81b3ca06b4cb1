"""What becomes of rows: pictures under their ids, rows in the ledger, and what a run leaves when all are settled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.gallery.grid import write_grids
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.plan.rows import BadRow
from stylebatch.tasks.progress import telling, watching
from stylebatch.tasks.results.folders import picture_name
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.results.strays import clear_images
from stylebatch.tasks.runs.gate import Kept, decide
from stylebatch.tasks.runs.ledger import Ledger
from stylebatch.tasks.runs.report import Outcome, Status, output_of, refused, settled
from stylebatch.tasks.runs.traces import write_traces
from stylebatch.tasks.runs.work import Work
from stylebatch.tasks.storage.places import Place


def settle(
    store: AnyStore, job: Job, result: Record | Exception, status: Status, attempts: int | None = None
) -> Outcome:
    """Make the picture appear under the row's id, and say what became of the row."""
    try:
        if isinstance(result, Record):
            store.publish(result, output_of(job.id, result.format))
    except (OSError, BadInput) as error:
        result = error
    return settled(job, result, status, attempts)


def settle_kept(store: AnyStore, kept: Kept, status: Status) -> Outcome:
    """As `settle`, where it is decided which of a row's pictures is kept."""
    outcome = settle(store, kept.job, kept.record, status)
    return outcome if kept.tries is None else replace(outcome, tries=kept.tries, passed=kept.passed)


def settle_known(work: Work, ledger: Ledger, store: AnyStore, undecodable: Iterable[BadRow] = ()) -> None:
    """Take the rows into the ledger of which nothing is to be computed."""
    ledger.add([*work.settled, *map(refused, undecodable)])
    kept = (decide(job, work.known) for job in telling(work.jobs, watching().settling))
    ledger.add([settle_kept(store, one, "cached") for one in kept if isinstance(one, Kept)])
    clear_others(work, ledger, store)


def clear_others(work: Work, ledger: Ledger, store: AnyStore) -> None:
    """Let ``images/`` hold what the report names, and nothing that an earlier request has left there.

    Raises:
        BadRequest: it cannot be moved out of the way.
    """
    reached = {one.row for one in ledger.outcomes}
    before = (one for row, one in ledger.before.items() if row not in reached)
    kept = {output for one in chain(ledger.outcomes, before) if (output := one.output)}
    coming = {
        output_of(job.id, job.settings.format): picture_name(job.key, job.settings.format)
        for job in work.jobs
        if job.row not in reached
    }
    clear_images(ledger.folder, kept, coming)


def lose_missing(work: Work, ledger: Ledger, store: AnyStore) -> list[Outcome]:
    """Take back of the rows that this run has settled that they are done, where somebody has removed their pictures.

    Returns:
        What became of these rows.
    """
    own = {job.row for job in work.jobs}
    return ledger.lose(store.missing(one.output for one in ledger.outcomes if one.output and one.row in own))


def wind_up(ledger: Ledger, store: AnyStore, trace: bool, allow_http: bool, grids: bool = True) -> list[Place]:
    """Write what is made of all rows, once they are settled.

    Args:
        trace: write the loss curves of the pairs that have some, as ``traces.parquet``.
        allow_http: let the originals of the grids be read from the web.
        grids: draw them; otherwise those of an earlier run go, since they would show what was.

    Returns:
        The grids.
    """
    store.sweep()
    if trace:
        write_traces(ledger.outcomes, store, ledger.folder / "traces.parquet")
    return write_grids(ledger.outcomes if grids else (), ledger.manifest.parent, ledger.folder, allow_http)
