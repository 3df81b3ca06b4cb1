"""Runs as folders, made without stylizing anything: an export reads a report and the pictures that it names."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.runs.report import Outcome, write_report


def picture_of(number: int, file_format: str) -> bytes:
    """A picture of its own, 12 x 8."""
    noise = np.random.default_rng(number).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, file_format)
    return buffer.getvalue()


def record_of(data: bytes, settings: Settings) -> Record:
    return Record(
        key=hashlib.sha256(data).hexdigest(),
        total_loss=0.5,
        content_loss=0.25,
        style_loss=0.25,
        tv_loss=0.0,
        style_loss_by_layer={"relu1_1": 0.25},
        structure=0.75,
        style_distance=0.125,
        optimizer_loss=None,
        steps=0,
        seconds=0.1,
        device="cpu",
        width=12,
        height=8,
        attempts=1,
        output_sha256=hashlib.sha256(data).hexdigest(),
        content_sha256="c",
        style_sha256="s",
        masks_sha256=None,
        weights_sha256="w",
        settings=settings,
        finished_at=datetime(2026, 11, 23, tzinfo=UTC),
    )


def write_run(
    folder: Path,
    rows: Sequence[tuple[str, str]],
    file_format: str = "jpeg",
    failed: int = 0,
    own: dict[str, Sequence[Any]] | None = None,
) -> Path:
    """A run of rows, each an id and a style, of which the last so many have failed.

    Args:
        own: columns that follow the report's, a value a row.
    """
    settings = Settings.model_validate({"size": "original", "format": file_format})
    outcomes = []
    for number, (name, style) in enumerate(rows, start=1):
        if number > len(rows) - failed:
            outcomes.append(Outcome(number, name, f"{name}.png", style, "failed", None, "BadInput", "no picture"))
            continue
        data = picture_of(number, file_format)
        outcome = Outcome(number, name, f"photographs/{name}.png", style, "completed", record_of(data, settings))
        assert outcome.output
        (folder / outcome.output).parent.mkdir(parents=True, exist_ok=True)
        (folder / outcome.output).write_bytes(data)
        outcomes.append(outcome)
    report = folder / "report.parquet"
    write_report(outcomes, report)
    if own:
        table = pq.read_table(report)
        kept = table.select([name for name in table.column_names if name not in own])
        for name, values in own.items():
            kept = kept.append_column(name, pa.array(values))
        pq.write_table(kept, report)
    run = {"manifest": "my.csv", "rows": len(rows), "state": "finished", "machine": {"name": "here"}}
    (folder / "run.json").write_text(json.dumps(run))
    return folder


TREE = [
    ("beach/img.0001", "night.jpg"),
    ("beach/img_0001", "glass.jpg"),
    ("city/old/tower", "night.jpg"),
    ("zoo/ape", "night.jpg"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A run whose ids are paths; the last of its rows has failed."""
    own: dict[str, Sequence[Any]] = {"label": ["beach", None, "city", "zoo"], "x_fold": [1, 2, None, 3]}
    return write_run(tmp_path / "run", TREE, failed=1, own=own)
