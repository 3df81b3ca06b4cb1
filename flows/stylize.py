"""The main job: a manifest becomes pictures, grids and a report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.artifacts import Artifacts
from flows.fan_out import fan_out
from tasks.devices import available_devices
from tasks.grid import write_grids
from tasks.jobs import Job, check_decoding, make_jobs
from tasks.ledger import Ledger
from tasks.manifest import read_manifest
from tasks.progress import watcher
from tasks.record import Record
from tasks.report import Outcome, Outcomes, Status, output_of, refused, settled
from tasks.rows import check_rows
from tasks.settings import check_settings
from tasks.store import Store
from tasks.traces import write_traces


@flow(name="stylize", task_runner=ThreadPoolTaskRunner())  # type: ignore[arg-type]  # a fault of Prefect's types
def stylize(
    manifest: Path,
    out: Path,
    overrides: dict[str, str] | None = None,
    refresh: bool = False,
    max_failures: int | None = None,
    trace: bool = False,
) -> Outcomes:
    """Carry out a manifest into a folder: pictures, grids, ``report.parquet`` and ``run.json``.

    Args:
        manifest: CSV, JSON Lines, Parquet or YAML.
        out: the run's folder.
        overrides: settings that win over the manifest's.
        refresh: stylize every pair again, also those that are done.
        max_failures: failed rows at which to stop; those that are left have no outcome.
        trace: also keep the loss curves of the pairs that are stylized, as ``traces.parquet``.

    Returns:
        What became of each row, in the manifest's order.

    Raises:
        BadRequest: the manifest cannot be read, a column or setting is not known, or the folder cannot be written to.
    """
    devices, store = available_devices(), Store(out)
    check_settings(overrides or {}, "--set")
    asked = read_manifest(manifest)
    store.create()
    artifacts = Artifacts(len(asked.rows))

    pairs, bad_rows = check_rows(asked, overrides or {})
    jobs, vanished = make_jobs(asked, pairs, devices[0])
    known = {} if refresh else _find_all(store, jobs)
    todo, damaged = check_decoding(job for job in jobs if job.key not in known)
    rows_of: dict[str, list[Job]] = defaultdict(list)  # rows with equal keys share one picture
    for job in todo:
        rows_of[job.key].append(job)

    with Ledger(out, manifest, len(asked.rows), overrides or {}, devices) as ledger:
        ledger.add([refused(row) for row in (*bad_rows, *vanished, *damaged)])
        ledger.add([_settle(store, job, known[job.key], "cached") for job in jobs if job.key in known])
        once = [rows[0] for rows in rows_of.values()]
        watcher.get().planned(once, ledger.outcomes)
        with fan_out(once, store, devices, refresh, trace) as results:
            while (max_failures is None or ledger.failures < max_failures) and (ended := next(results, None)):
                job, result = ended
                settled_now = [_settle(store, row, result, "completed") for row in rows_of[job.key]]
                ledger.add(settled_now)
                watcher.get().finished(job, settled_now)
                artifacts.advance(len(ledger.outcomes))
    store.sweep()
    if trace:
        write_traces(ledger.outcomes, store, out / "traces.parquet")
    write_grids(ledger.outcomes, asked.folder, out)
    artifacts.summarize(ledger.outcomes)
    return ledger.outcomes


def _find_all(store: Store, jobs: Iterable[Job]) -> dict[str, Record]:
    """The records that are there already, by their keys."""
    verified = store.verified()
    known = {key: record for key in {job.key for job in jobs} if (record := store.find(key, verified))}
    verified.save()
    return known


def _settle(store: Store, job: Job, result: Record | Exception, status: Status) -> Outcome:
    """Make the picture appear under the row's id, and say what became of the row."""
    try:
        if isinstance(result, Record):
            store.publish(result, output_of(job.id))
    except OSError as error:
        result = error
    return settled(job, result, status)
