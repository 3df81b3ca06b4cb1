"""What comes before a manifest's pairs are computed: rows are read and checked, and what is done already is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.plan.jobs import make_jobs
from stylebatch.tasks.plan.rows import BadRow, Pair, check_rows
from stylebatch.tasks.request.manifest import Manifest, read_manifest
from stylebatch.tasks.results.remote_store import AnyStore, open_store
from stylebatch.tasks.runs.gate import Kept, decide, keys_of
from stylebatch.tasks.runs.ledger import Ledger
from stylebatch.tasks.runs.own_columns import OwnColumns
from stylebatch.tasks.runs.report import refused
from stylebatch.tasks.runs.target import refuse_others_folder
from stylebatch.tasks.runs.work import Work
from stylebatch.tasks.storage.places import Place


@dataclass(frozen=True)
class Rows:
    """A manifest's rows, checked, for the run in the store's folder."""

    manifest: Manifest
    store: AnyStore
    overrides: dict[str, str]
    pairs: list[Pair]
    bad_rows: list[BadRow]

    def first(self, number: int | None) -> Rows:
        """Only so many of the manifest's rows; without a number, all."""
        if number is None:
            return self
        return replace(
            self,
            manifest=replace(self.manifest, rows=self.manifest.rows[:number]),
            pairs=[pair for pair in self.pairs if pair.row <= number],
            bad_rows=[row for row in self.bad_rows if row.row <= number],
        )

    @property
    def are_decided(self) -> bool:
        """Whether all know their engine, so that it needs no choosing."""
        return all(pair.settings.engine != "auto" for pair in self.pairs)


@dataclass(frozen=True)
class Prepared:
    """A run before its pairs are computed."""

    work: Work
    ledger: Ledger

    @property
    def is_done(self) -> bool:
        """Whether there are none to compute."""
        return all(isinstance(decide(job, self.work.known), Kept) for job in self.work.jobs)


def read_rows(manifest: Place, out: Place, overrides: Mapping[str, str], allow_http: bool) -> Rows:
    """Read a manifest, check its rows, and make the run's folder.

    Raises:
        BadRequest: the manifest cannot be read, or the folder not be written to, or has other things in it.
    """
    asked, store = read_manifest(manifest, allow_http), open_store(out)
    refuse_others_folder(out)
    store.create()
    return Rows(asked, store, dict(overrides), *check_rows(asked, overrides))


def prepare(
    rows: Rows,
    slots: Sequence[Slot],
    devices: Sequence[str],
    refresh: bool = False,
    decisions: Sequence[str] = (),
) -> Prepared:
    """Find the pairs' keys, and the records that there are.

    Args:
        slots: the first of them is what settings are resolved for.
        devices: in words, for ``run.json``.
        refresh: take no record for one that there is.
        decisions: which engine was taken for each style that left it open, and why.
    """
    asked, store = rows.manifest, rows.store
    jobs, vanished = make_jobs(asked, rows.pairs, slots[0])
    known = {} if refresh else store.find_all(key for job in jobs for key in keys_of(job))
    work = Work(jobs, known, [refused(row) for row in (*rows.bad_rows, *vanished)])
    own = OwnColumns(asked.rows)
    ledger = Ledger(
        store.folder, asked.path, len(asked.rows), rows.overrides, list(devices), decisions=decisions, own=own
    )
    return Prepared(work, ledger)


# What the command has prepared before it knew that a flow is needed. By context, as `tasks.progress.watcher`: a flow's
# parameters are what a person writes.
_handed_over: ContextVar[Prepared | None] = ContextVar("prepared", default=None)


@contextmanager
def handing_over(prepared: Prepared | None) -> Iterator[None]:
    """Within this, the flow does not prepare again what is prepared."""
    token = _handed_over.set(prepared)
    try:
        yield
    finally:
        _handed_over.reset(token)


def handed_over() -> Prepared | None:
    """What was prepared for the flow that asks, if it was."""
    return _handed_over.get()
