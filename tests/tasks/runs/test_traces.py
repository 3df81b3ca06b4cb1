"""``traces.parquet`` of a run of which nothing was traced: it is there, and reads like any other."""

from __future__ import annotations

from pathlib import Path

from stylebatch.tasks.results.store import Store
from stylebatch.tasks.runs.run_folder import read_curves
from stylebatch.tasks.runs.traces import write_traces


def test_no_curves_are_a_table_without_rows(tmp_path: Path) -> None:
    write_traces([], Store(tmp_path / ".store"), tmp_path / "traces.parquet")
    assert read_curves(tmp_path) == {}
