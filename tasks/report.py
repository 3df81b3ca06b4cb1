"""The report: one typed row a manifest row, as Parquet, and ``run.json`` beside it."""

from __future__ import annotations

import io
import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.files import write_atomically
from tasks.jobs import Job
from tasks.key import ENGINE
from tasks.nst.layers import LAYERS
from tasks.record import Record
from tasks.rows import BadRow

Status = Literal["completed", "cached", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of one manifest row: a record, or an error."""

    row: int
    id: str
    content: str
    style: str
    status: Status
    record: Record | None = None
    error_type: str | None = None
    error: str | None = None

    @property
    def output(self) -> Path | None:
        """The picture, relative to the run's folder."""
        return output_of(self.id) if self.record else None


def output_of(name: str) -> Path:
    """Where the picture with this id lies, relative to the run's folder."""
    return Path("images") / f"{name}.png"


def settled(job: Job, result: Record | Exception, status: Status) -> Outcome:
    """The outcome of a job: ``status`` where the result is a record."""
    if isinstance(result, Record):
        return Outcome(job.row, job.id, job.content_name, job.style_name, status, result)
    name = type(result).__name__
    return Outcome(job.row, job.id, job.content_name, job.style_name, "failed", None, name, str(result) or name)


def refused(row: BadRow) -> Outcome:
    """The outcome of a row that never became a job."""
    name = row.id or f"row-{row.row}"
    return Outcome(row.row, name, row.content, row.style, "failed", None, "BadInput", row.message)


def _schema(layers: Iterable[str]) -> pa.Schema:
    text, real, whole = pa.string(), pa.float64(), pa.int64()
    return pa.schema(
        [
            *((name, text) for name in ("id", "content", "style", "status", "error_type", "error")),
            *((name, real) for name in ("total_loss", "content_loss", "style_loss", "tv_loss")),
            *((f"style_loss_{layer}", real) for layer in layers),
            ("optimizer_loss", real),
            ("steps", whole),
            ("seconds", real),
            ("device", text),
            ("precision", text),
            ("width", whole),
            ("height", whole),
            ("seed", whole),
            ("network", text),
            ("attempts", whole),
            *((name, text) for name in ("key", "output", "output_sha256", "content_sha256", "style_sha256")),
            *((name, text) for name in ("masks_sha256", "weights_sha256")),
            ("settings", text),
            ("finished_at", pa.timestamp("us", tz="UTC")),
        ]
    )


def _as_utf8(text: str | None) -> str | None:
    """The text as Parquet can hold it: a file's name may have bytes that are no UTF-8, which Python keeps."""
    return None if text is None else os.fsencode(text).decode("utf-8", "replace")


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {
        name: _as_utf8(getattr(outcome, name)) for name in ("id", "content", "style", "status", "error_type", "error")
    }
    record = outcome.record
    if record is None:
        return row
    row |= record.model_dump(exclude={"settings", "style_loss_by_layer"})
    row |= {f"style_loss_{layer}": loss for layer, loss in record.style_loss_by_layer.items()}
    row |= record.settings.model_dump(include={"precision", "seed", "network"})
    row["output"] = outcome.output.as_posix() if outcome.output else None
    row["settings"] = record.settings.model_dump_json()
    return row


def write_report(outcomes: Iterable[Outcome], path: Path) -> None:
    """Write the report in the manifest's order, whole or not at all."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.row)
    used = {layer for outcome in ordered if outcome.record for layer in outcome.record.style_loss_by_layer}
    schema = _schema(layer for layer in LAYERS if layer in used)
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([_row(outcome) for outcome in ordered], schema=schema), buffer)
    write_atomically(path, buffer.getvalue())


def count(outcomes: Iterable[Outcome]) -> dict[Status, int]:
    """How many rows ended in each way."""
    counts = Counter(outcome.status for outcome in outcomes)
    return {status: counts[status] for status in ("completed", "cached", "failed")}


def write_run(path: Path, outcomes: Sequence[Outcome], asked: Mapping[str, Any]) -> None:
    """Write ``run.json``: what was ``asked``, what it ran on, and how it went."""
    packages = ("stylebatch", "torch", "prefect", "pillow", "pyarrow")
    run = {
        **asked,
        "updated_at": datetime.now(UTC).isoformat(),
        "counts": count(outcomes),
        "engine": ENGINE,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "machine": {"name": platform.node(), "system": platform.platform(), "cores": os.cpu_count()},
    }
    write_atomically(path, (json.dumps(run, indent=2) + "\n").encode())
