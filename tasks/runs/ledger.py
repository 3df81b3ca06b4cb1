"""The ledger of a run: what became of each row so far, on disk often enough to be read while the run goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Literal

from stylebatch.tasks.runs.changes import Changes, to_json
from stylebatch.tasks.runs.own_columns import OwnColumns
from stylebatch.tasks.runs.process import this_process
from stylebatch.tasks.runs.report import Outcome, Outcomes, count, write_report, write_run
from stylebatch.tasks.storage.places import Place, absolute

# Seconds between two writings: at least so many, and so many times what the last one took. A report of a hundred
# thousand rows takes some seconds to write.
INTERVAL = 30.0
TIMES_ITS_COST = 20
State = Literal["running", "finished", "stopped"]


@dataclass
class Ledger:
    """The outcomes of the run in ``folder``; as a context, it leaves report and run.json whatever ends the run.

    It may be closed from another thread, while this one does what it cannot be taken from.

    Attributes:
        overrides: settings that won over the manifest's, for all rows.
        changes: settings that won over these, for some.
        before: outcomes of an earlier run by their rows, which count as long as this run has not come to a row.
        decisions: which engine was taken for each style that left it open, and why.
        own: people's own columns of the manifest's rows.
        damaged: the ids of rows whose records were there and could not be used.
        failures: rows that have failed so far.
    """

    folder: Place
    manifest: Place
    rows: int
    overrides: dict[str, str]
    devices: list[str]
    changes: Changes = field(default_factory=dict)
    before: Mapping[int, Outcome] = field(default_factory=dict)
    decisions: Sequence[str] = ()
    own: OwnColumns = field(default_factory=OwnColumns)
    damaged: list[str] = field(default_factory=list)
    outcomes: Outcomes = field(default_factory=Outcomes)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    failures: int = 0
    _written: float = 0.0
    _cost: float = 0.0
    _closed: bool = False
    _one: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take in some rows, and write at intervals; where an object store is away, at the next one."""
        with self._one:
            if self._closed:  # what becomes of rows while the run is being ended is not their fault
                return
            new = list(outcomes)
            self.outcomes += new
            self.failures += count(new)["failed"]
            if time.monotonic() - self._written > max(INTERVAL, TIMES_ITS_COST * self._cost):
                try:
                    self.write("running")
                except OSError:
                    if isinstance(self.folder, Path):
                        raise
                    self._written = time.monotonic()

    def lose(self, outputs: Collection[str]) -> list[Outcome]:
        """Take back that pictures were made: somebody has removed them.

        Returns:
            What became of their rows.
        """
        with self._one:
            lost = [
                replace(
                    one,
                    status="failed",
                    record=None,
                    error_type="FileNotFoundError",
                    error=f"{one.output} was removed while the run was going on; run again",
                )
                for one in (self.outcomes if outputs else ())
                if one.output in outputs
            ]
            if lost:
                rows = {one.row for one in lost}
                self.outcomes = Outcomes([*(one for one in self.outcomes if one.row not in rows), *lost])
                self.failures += len(lost)
            return lost

    def write(self, state: State) -> None:
        """Write ``report.parquet`` and ``run.json``."""
        began = time.monotonic()
        self.outcomes.sort(key=attrgetter("row"))
        reached = {outcome.row for outcome in self.outcomes} if self.before else set()
        newest = [*self.outcomes, *(outcome for row, outcome in self.before.items() if row not in reached)]
        write_report(newest, self.folder / "report.parquet", self.own)
        write_run(
            self.folder / "run.json",
            newest,
            {
                "manifest": str(absolute(self.manifest)),
                "rows": self.rows,
                "remaining": self.rows - len(self.outcomes),
                "set": self.overrides,
                "set_rows": to_json(self.changes),
                "engines": list(self.decisions),
                "damaged": self.damaged,
                "devices": self.devices,
                "state": state,
                **this_process(),
                "started_at": self.started_at.isoformat(),
            },
        )
        self._written = time.monotonic()
        self._cost = self._written - began

    def close(self) -> None:
        """Write them for the last time. What comes after that does not count."""
        with self._one:
            if not self._closed:
                self.write("finished" if len(self.outcomes) == self.rows else "stopped")
                self._closed = True

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
