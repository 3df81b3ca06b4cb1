"""Columns of people's own: in the report as the manifest has them, whatever became of their rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stylebatch.tasks.runs.own_columns import OwnColumns
from stylebatch.tasks.runs.report import Outcome, write_report


def report(tmp_path: Path, *rows: dict[str, Any]) -> pa.Table:
    outcomes = [Outcome(n, f"r-{n}", "a", "b", "failed", error="is bad") for n in range(len(rows), 0, -1)]
    write_report(outcomes, tmp_path / "report.parquet", OwnColumns(rows))
    return pq.read_table(tmp_path / "report.parquet")


def test_a_column_with_the_prefix_and_what_extra_holds_are_in_the_report(tmp_path: Path) -> None:
    rows = ({"x_split": "train", "extra": {"fold": 3, "x_by": "me"}}, {"label": "beach"}, {"extra": {"fold": 4}})
    table = report(tmp_path, *rows)
    assert table.column_names[-4:] == ["label", "x_fold", "x_by", "x_split"]
    assert table["label"].to_pylist() == [None, "beach", None]
    assert table["x_fold"].to_pylist() == [3, None, 4]
    assert table["x_by"].to_pylist() == ["me", None, None]
    assert table["x_split"].to_pylist() == ["train", None, None]


@pytest.mark.parametrize(
    ("values", "read", "kind"),
    [
        ([1, None, 3], [1, None, 3], pa.int64()),
        ([0.5, float("nan"), 2], [0.5, None, 2.0], pa.float64()),
        ([True, False, None], [True, False, None], pa.bool_()),
        ([date(2026, 1, 2)], [date(2026, 1, 2)], pa.date32()),
        ([["a", "b"], []], [["a", "b"], []], pa.list_(pa.string())),
        ([{"w": 1}, {"w": 2}], [{"w": 1}, {"w": 2}], pa.struct([("w", pa.int64())])),
        ([1, "two", [3]], ["1", "two", "[3]"], pa.string()),
        ([10**30, 1], [f"{10**30}", "1"], pa.string()),
        ([None, ""], [None, None], pa.string()),
        (["half \ud800", "s3://key:phrase@b/a"], ["half \N{REPLACEMENT CHARACTER}", "s3://…@b/a"], pa.string()),
        ([["s3://key:phrase@b/a"]], ['["s3://…@b/a"]'], pa.string()),
    ],
)
def test_values_keep_their_type_or_are_texts(tmp_path: Path, values: list[Any], read: list[Any], kind: Any) -> None:
    column = report(tmp_path, *({"x_a": value} for value in values))["x_a"]
    assert (column.to_pylist(), column.type) == (read, kind)


def test_without_own_columns_there_is_the_label_alone(tmp_path: Path) -> None:
    table = report(tmp_path, {"content": "a"}, {"content": "b"})
    assert table.column_names[-2:] == ["row", "label"]
    assert table["label"].type == pa.string()


def test_a_row_that_the_manifest_does_not_have_any_more_has_none(tmp_path: Path) -> None:
    outcomes = [Outcome(row, f"r-{row}", "a", "b", "failed", error="is bad") for row in (1, 5)]
    write_report(outcomes, tmp_path / "report.parquet", OwnColumns([{"x_a": 1}]))
    assert pq.read_table(tmp_path / "report.parquet")["x_a"].to_pylist() == [1, None]
