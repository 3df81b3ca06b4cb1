"""Rows and memory are bounded before they are taken, and the limit is told."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request import manifest as module
from stylebatch.tasks.request.manifest import Unreadable, read_manifest

SETTINGS = "content_weight: [{values}], style_weight: [{values}], tv_weight: [{values}], seed: [{values}]"


def test_a_product_of_a_hundred_million_rows_is_refused_before_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "rows.yaml"
    values = ", ".join(map(str, range(100)))
    path.write_text(f"contents: a.png\nstyles: b.png\nsweep: {{{SETTINGS.format(values=values)}}}\n")
    with pytest.raises(BadRequest, match="asks for 100,000,000 rows, over the limit of 1,000,000"):
        read_manifest(path)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_rows_beyond_the_limit_are_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 3)
    path = tmp_path / name
    if path.suffix == ".csv":
        path.write_text("content,style\n" + "a,b\n" * 9)
    elif path.suffix == ".jsonl":
        path.write_text('{"content": "a", "style": "b"}\n' * 9)
    else:
        pq.write_table(pa.table({"content": ["a"] * 9, "style": ["b"] * 9}), path)
    with pytest.raises(BadRequest, match=r"asks for (at least 4|9) rows, over the limit of 3; split it"):
        read_manifest(path)


def test_a_table_that_unpacks_to_gigabytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNPACKED", 1000)
    pq.write_table(pa.table({"content": ["a" * 2000], "style": ["b"]}), tmp_path / "rows.parquet")
    with pytest.raises(BadRequest, match=r"unpacks to .* GB, over the limit of"):
        read_manifest(tmp_path / "rows.parquet")


def test_a_pipe_or_a_large_file_is_no_manifest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(BadRequest, match=r"pipe\.csv.*is a pipe, not a file"):
        read_manifest(tmp_path / "pipe.csv")
    (tmp_path / "large.csv").touch()
    os.truncate(tmp_path / "large.csv", 10_000_000_000)
    with pytest.raises(BadRequest, match=r"large\.csv has 10\.0 GB, over the limit of 1 GB"):
        read_manifest(tmp_path / "large.csv")


def test_cells_of_parquet_that_python_has_nothing_for_cost_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    times = pa.array([datetime(2026, 1, 1), None], pa.timestamp("us", "Nowhere/Town"))
    styles = pa.array([[("b.png", 1.0), ("b.png", 2.0)], [("b.png", 1.0)]], pa.map_(pa.string(), pa.float64()))
    pq.write_table(pa.table({"content": ["a.png", "a.png"], "style": styles, "init": times}), path)
    first, second = read_manifest(path).rows
    assert isinstance(first["style"], Unreadable)
    assert isinstance(first["init"], Unreadable)
    assert second == {"content": "a.png", "style": {"b.png": 1.0}, "init": None}
