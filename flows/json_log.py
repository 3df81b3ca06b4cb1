"""A log for machines: one JSON object a line for each row as it is settled, for the run's start and for its end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from stylebatch.tasks.progress import Pending, Settled, Watcher

OF_OUTCOME = ("row", "id", "content", "style", "status", "error_type", "error")
OF_RECORD = (
    "key",
    "total_loss",
    "structure",
    "style_distance",
    "content_lost",
    "steps",
    "seconds",
    "machine",
    "device",
    "attempts",
    "output_sha256",
)


class JsonLog(Watcher):
    """Writes its lines to ``stream`` as they come."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def chose(self, decisions: Sequence[str]) -> None:
        for text in decisions:
            self._write("engine", {"decision": text})

    def planned(self, jobs: Sequence[Pending], settled: Sequence[Settled]) -> None:
        self._write("started", {"pairs": len(jobs), "settled": len(settled)})
        self._rows(settled)

    def finished(self, job: Pending, settled: Sequence[Settled]) -> None:
        self._rows(settled)

    def ended(self, summary: Mapping[str, Any]) -> None:
        """The run is over: its counts, and the like."""
        self._write("ended", summary)

    def _rows(self, settled: Sequence[Settled]) -> None:
        for outcome in settled:
            fields = {name: getattr(outcome, name) for name in OF_OUTCOME}
            if outcome.record:
                fields |= {name: getattr(outcome.record, name) for name in OF_RECORD}
            else:
                fields["attempts"] = outcome.attempts
            self._write("row", {**fields, "output": outcome.output})

    def _write(self, event: str, fields: Mapping[str, Any]) -> None:
        told = {name: value for name, value in fields.items() if value is not None}
        line = json.dumps({"time": datetime.now(UTC).isoformat(), "event": event, **told})
        self._stream.write(line + "\n")
        self._stream.flush()
