"""Reading a run from its folder, while it goes on and after."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.runs.causes import Failure, by_cause
from stylebatch.tasks.runs.process import state_of
from stylebatch.tasks.storage.files import read_bytes
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place, to_place

COLUMNS = ["id", "content", "style", "status", "error_type", "error"]


@dataclass(frozen=True)
class RunStatus:
    """How far a run is.

    Attributes:
        state: ``running``, ``finished``, ``stopped`` (told to, or by too many failures) or ``crashed``.
        elapsed: seconds from the start to the last writing, or until now while it runs.
        rate: rows completed a second in this run, or 0 where none was.
        failures: ids of failed rows by their cause.
        remaining: rows that the run has not come to; some may have an outcome from before.
    """

    folder: Place
    manifest: Place
    state: str
    rows: int
    counts: dict[str, int]
    elapsed: float
    rate: float
    failures: dict[str, list[str]]
    remaining: int

    @property
    def left(self) -> float | None:
        """Seconds that the remaining rows would take at the rate so far, or none where there is no rate."""
        return self.remaining / self.rate if self.rate else None


def read_status(folder: Place) -> RunStatus:
    """Read ``run.json`` and ``report.parquet``.

    Raises:
        BadRequest: there is no run in the folder, or its files cannot be read.
    """
    try:
        run = json.loads(read_bytes(folder / "run.json"))
        report = read_parquet(read_bytes(folder / "report.parquet"), columns=COLUMNS).to_pylist()
        started, updated = (datetime.fromisoformat(run[name]) for name in ("started_at", "updated_at"))
        state = state_of(run)
        elapsed = ((datetime.now(UTC) if state == "running" else updated) - started).total_seconds()
        # The report may be newer by one writing than run.json: it has the rows, and so the counts.
        counts = {status: sum(row["status"] == status for row in report) for status in run["counts"]}
        return RunStatus(
            folder=folder,
            manifest=to_place(run["manifest"]),
            state=state,
            rows=run["rows"],
            counts=counts,
            elapsed=elapsed,
            rate=counts["completed"] / elapsed if elapsed > 0 else 0.0,
            failures=by_cause(
                Failure(row["id"], f"{row['error_type']}: {row['error']}", row["content"], row["style"])
                for row in report
                if row["status"] == "failed"
            ),
            remaining=run["remaining"],
        )
    except FileNotFoundError:
        raise BadRequest(f"there is no run in {folder}: it has no run.json with its report.parquet") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, pa.ArrowException) as error:
        raise BadRequest(f"the run in {folder} cannot be read: {error}") from None
