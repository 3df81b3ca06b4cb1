"""The report: its columns and their types, a row for every manifest row, and what ``run.json`` says."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.plan.jobs import Job, Style
from stylebatch.tasks.plan.key import ENGINE
from stylebatch.tasks.plan.rows import BadRow
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.runs.report import (
    Outcome,
    content_lost,
    count,
    output_of,
    refused,
    settled,
    shown,
    write_report,
    write_run,
)

SETTINGS = Settings(size=64, seed=7, precision="bfloat16", style_layers={"relu2_1": 1.0, "relu1_1": 0.5})


def make_record(**change: Any) -> Record:
    fields: dict[str, Any] = {
        "key": "a" * 64,
        "total_loss": 6.5,
        "content_loss": 1.0,
        "style_loss": 5.0,
        "tv_loss": 0.5,
        "style_loss_by_layer": {"relu2_1": 3.0, "relu1_1": 2.0},
        "structure": 0.75,
        "style_distance": 0.25,
        "optimizer_loss": 5.75,
        "steps": 150,
        "seconds": 1.25,
        "device": "cpu",
        "width": 64,
        "height": 48,
        "attempts": 2,
        "output_sha256": "o" * 64,
        "content_sha256": "c" * 64,
        "style_sha256": "s" * 64,
        "masks_sha256": None,
        "weights_sha256": "w" * 64,
        "model_sha256": None,
        "settings": SETTINGS,
        "finished_at": datetime(2025, 11, 23, 3, 0, 0, 250_000, tzinfo=UTC),
    }
    return Record(**fields | change)


def make_job() -> Job:
    return Job(
        row=4,
        id="x",
        key="a" * 64,
        content=Path("/pictures/a.png"),
        styles=(Style(Path("/pictures/b.png"), "s" * 64, 1.0),),
        init=None,
        weights=Path("/weights/w.pth"),
        content_name="a.png",
        style_name="b.png",
        settings=SETTINGS,
        content_sha256="c" * 64,
        init_sha256=None,
        weights_sha256="w" * 64,
    )


def write(tmp_path: Path, *outcomes: Outcome) -> pa.Table:
    path = tmp_path / "report.parquet"
    write_report(outcomes, path)
    assert list(tmp_path.iterdir()) == [path]
    return pq.read_table(path)


COMPLETED = Outcome(1, "one", "a.png", "b.png", "completed", make_record())
CACHED = Outcome(3, "three", "a.png", "c.png", "cached", make_record(total_loss=8.0))
FAILED = Outcome(2, "row-2", "gone.png", "b.png", "failed", None, "BadInput", "content: there is no file gone.png")


# report.parquet


def test_columns_and_types_are_those_of_the_design(tmp_path: Path) -> None:
    text, real, whole = pa.string(), pa.float64(), pa.int64()
    expected = {
        "id": text,
        "content": text,
        "style": text,
        "status": text,
        "error_type": text,
        "error": text,
        "total_loss": real,
        "content_loss": real,
        "style_loss": real,
        "tv_loss": real,
        "style_loss_relu1_1": real,
        "style_loss_relu2_1": real,
        "optimizer_loss": real,
        "structure": real,
        "style_distance": real,
        "content_lost": pa.bool_(),
        "far_from_training": pa.bool_(),
        "steps": whole,
        "seconds": real,
        "device": text,
        "precision": text,
        "width": whole,
        "height": whole,
        "seed": whole,
        "network": text,
        "attempts": whole,
        "tries": whole,
        "passed": pa.bool_(),
        "key": text,
        "output": text,
        "output_sha256": text,
        "content_sha256": text,
        "style_sha256": text,
        "masks_sha256": text,
        "weights_sha256": text,
        "model_sha256": text,
        "settings": text,
        "finished_at": pa.timestamp("us", tz="UTC"),
        "row": whole,
        "label": text,
    }
    schema = write(tmp_path, COMPLETED, FAILED).schema
    assert schema.names == list(expected)
    assert dict(zip(schema.names, schema.types, strict=True)) == expected


def test_types_hold_where_every_row_failed(tmp_path: Path) -> None:
    everything = write(tmp_path, COMPLETED).schema
    table = write(tmp_path, FAILED)
    by_layer = {"style_loss_relu1_1", "style_loss_relu2_1"}
    assert list(table.schema) == [field for field in everything if field.name not in by_layer]


def test_a_row_says_what_the_record_says(tmp_path: Path) -> None:
    (row,) = write(tmp_path, COMPLETED).to_pylist()
    settings = row.pop("settings")
    assert json.loads(settings) == SETTINGS.model_dump()
    assert Settings.model_validate_json(settings) == SETTINGS
    assert row == {
        "id": "one",
        "content": "a.png",
        "style": "b.png",
        "status": "completed",
        "error_type": None,
        "error": None,
        "total_loss": 6.5,
        "content_loss": 1.0,
        "style_loss": 5.0,
        "tv_loss": 0.5,
        "style_loss_relu1_1": 2.0,
        "style_loss_relu2_1": 3.0,
        "optimizer_loss": 5.75,
        "structure": 0.75,
        "style_distance": 0.25,
        "content_lost": False,
        "far_from_training": None,
        "steps": 150,
        "seconds": 1.25,
        "device": "cpu",
        "precision": "bfloat16",
        "width": 64,
        "height": 48,
        "seed": 7,
        "network": "vgg19",
        "attempts": 2,
        "tries": None,
        "passed": None,
        "key": "a" * 64,
        "output": "images/one.png",
        "output_sha256": "o" * 64,
        "content_sha256": "c" * 64,
        "style_sha256": "s" * 64,
        "masks_sha256": None,
        "weights_sha256": "w" * 64,
        "model_sha256": None,
        "finished_at": datetime(2025, 11, 23, 3, 0, 0, 250_000, tzinfo=UTC),
        "row": 1,
        "label": None,
    }


def test_each_setting_that_varies_is_a_column_of_its_own(tmp_path: Path) -> None:
    """Numbers as numbers, all else as a manifest writes it; a failed row has none on record."""
    other = SETTINGS.model_copy(update={"size": 96, "content_weight": 3, "scales": 2, "style_layers": {"relu1_1": 1.0}})
    record = make_record(settings=other)
    table = write(tmp_path, COMPLETED, FAILED, Outcome(3, "three", "a.png", "b.png", "cached", record))
    columns = {name: table[name] for name in table.column_names if name.startswith("set_")}
    assert {name: column.to_pylist() for name, column in columns.items()} == {
        "set_size": [64, None, 96],
        "set_content_weight": [1.0, None, 3.0],
        "set_style_layers": ["relu2_1, relu1_1:0.5", None, "relu1_1"],
        "set_scales": ["auto", None, "2"],
    }
    assert [str(column.type) for column in columns.values()] == ["int64", "double", "string", "string"]


def test_a_picture_that_hardly_shows_its_content_is_told(tmp_path: Path) -> None:
    faint = Outcome(2, "faint", "a.png", "b.png", "completed", make_record(structure=0.49))
    unknown = Outcome(3, "old", "a.png", "b.png", "cached", make_record(structure=None))
    table = write(tmp_path, COMPLETED, faint, unknown)
    assert table["content_lost"].to_pylist() == [False, True, None]
    assert content_lost([COMPLETED, faint, unknown, FAILED]) == ["faint"]


@pytest.mark.parametrize(("loss", "text"), [(0.25431, "0.254"), (12.345, "12.3"), (9794.2, "9,794"), (0.0, "0")])
def test_a_loss_is_shown_with_the_digits_that_tell(loss: float, text: str) -> None:
    assert shown(loss) == text


def test_the_layers_add_up_to_the_style_loss(tmp_path: Path) -> None:
    layers = {"relu1_1": 0.125, "relu3_4": 11.5, "relu5_1": 4.0, "relu2_2": 1.0}
    record = make_record(style_loss_by_layer=layers, style_loss=sum(layers.values()))
    table = write(tmp_path, Outcome(1, "one", "a.png", "b.png", "completed", record))
    # In the network's order, whichever way the settings name them.
    columns = [name for name in table.schema.names if name.startswith("style_loss_")]
    assert columns == ["style_loss_relu1_1", "style_loss_relu2_2", "style_loss_relu3_4", "style_loss_relu5_1"]
    (row,) = table.to_pylist()
    assert sum(row[name] for name in columns) == row["style_loss"] == 16.625


def test_a_layer_that_a_row_does_not_use_is_null(tmp_path: Path) -> None:
    other = make_record(style_loss_by_layer={"relu3_1": 5.0})
    rows = write(tmp_path, COMPLETED, Outcome(2, "two", "a.png", "b.png", "cached", other)).to_pylist()
    used = [{name: value for name, value in row.items() if name.startswith("style_loss_")} for row in rows]
    assert used == [
        {"style_loss_relu1_1": 2.0, "style_loss_relu2_1": 3.0, "style_loss_relu3_1": None},
        {"style_loss_relu1_1": None, "style_loss_relu2_1": None, "style_loss_relu3_1": 5.0},
    ]


def test_rows_are_in_the_manifests_order(tmp_path: Path) -> None:
    rows = write(tmp_path, CACHED, COMPLETED, FAILED).to_pylist()
    assert [(row["id"], row["status"]) for row in rows] == [
        ("one", "completed"),
        ("row-2", "failed"),
        ("three", "cached"),
    ]


def test_a_failed_row_has_its_error_and_nothing_else(tmp_path: Path) -> None:
    _, row, _ = write(tmp_path, COMPLETED, FAILED, CACHED).to_pylist()
    assert {name: value for name, value in row.items() if value is not None} == {
        "id": "row-2",
        "content": "gone.png",
        "style": "b.png",
        "status": "failed",
        "error_type": "BadInput",
        "error": "content: there is no file gone.png",
        "row": 2,
    }


def test_times_are_utc(tmp_path: Path) -> None:
    local = datetime(2025, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    table = write(tmp_path, Outcome(1, "one", "a.png", "b.png", "completed", make_record(finished_at=local)))
    assert table["finished_at"].to_pylist() == [datetime(2024, 12, 31, 23, 30, tzinfo=UTC)]


def test_pandas_reads_the_report_without_objects(tmp_path: Path) -> None:
    frame = write(tmp_path, COMPLETED, CACHED).to_pandas()
    assert frame["total_loss"].dtype == "float64"
    assert frame["steps"].dtype == "int64"
    assert str(frame["finished_at"].dtype.tz) == "UTC"
    assert frame["total_loss"].sum() == 14.5


def test_an_earlier_report_is_replaced(tmp_path: Path) -> None:
    assert write(tmp_path, COMPLETED, FAILED, CACHED).num_rows == 3
    assert write(tmp_path, FAILED).num_rows == 1


def test_a_name_that_is_not_utf8_does_not_stop_the_report(tmp_path: Path) -> None:
    name = os.fsdecode(b"m\xfcnchen.png")
    table = write(tmp_path, COMPLETED, Outcome(2, "two", name, "b.png", "failed", None, "BadInput", f"{name} is cut"))
    assert table["id"].to_pylist() == ["one", "two"]


# Outcomes


def test_a_job_with_a_record_is_done() -> None:
    record = make_record()
    outcome = settled(make_job(), record, "cached")
    assert outcome == Outcome(4, "x", "a.png", "b.png", "cached", record)
    assert outcome.output == output_of("x", "png") == "images/x.png"


@pytest.mark.parametrize(
    ("error", "error_type", "text"),
    [
        (BadInput("a.png is truncated"), "BadInput", "a.png is truncated"),
        (MemoryError(), "MemoryError", "MemoryError"),
        (OSError(5, "Input/output error"), "OSError", "Input/output error"),
    ],
)
def test_a_job_with_an_error_failed(error: Exception, error_type: str, text: str) -> None:
    outcome = settled(make_job(), error, "completed")
    assert outcome == Outcome(4, "x", "a.png", "b.png", "failed", None, error_type, text)
    assert outcome.output is None


def test_a_bad_row_failed_with_all_that_is_wrong() -> None:
    bad = BadRow(5, "", "a.png", "", (("size", "is too small"), ("style", "is missing")))
    outcome = refused(bad)
    assert outcome == Outcome(
        5, "row-5", "a.png", "", "failed", None, "BadInput", "size: is too small; style: is missing"
    )
    assert refused(BadRow(5, "named", "a.png", "", (("style", "is missing"),))).id == "named"


def test_every_status_is_counted() -> None:
    assert count([COMPLETED, CACHED, FAILED, FAILED]) == {"completed": 1, "cached": 1, "failed": 2}
    assert count([]) == {"completed": 0, "cached": 0, "failed": 0}


# run.json


def test_run_json_says_what_was_asked_for_and_how_it_went(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    write_run(tmp_path / "run.json", [COMPLETED, FAILED, CACHED], {"set": {"size": "64"}, "devices": ["cpu"]})
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["set"] == {"size": "64"}
    assert run["devices"] == ["cpu"]
    assert run["counts"] == {"completed": 1, "cached": 1, "failed": 1}
    assert before <= datetime.fromisoformat(run["updated_at"]) <= datetime.now(UTC)
    assert run["engine"] == ENGINE
    assert run["versions"]["python"] == platform.python_version()
    for package in ("stylebatch", "torch", "prefect", "pillow", "pyarrow"):
        assert run["versions"][package] == version(package)
    assert run["machine"]["cores"] == os.cpu_count()
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
