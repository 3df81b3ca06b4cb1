"""A report by a column: groups in order, means of what is known, and what does not compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.gallery.summary import summarize
from stylebatch.tasks.gallery.summary_plot import draw_summary
from tests.command import call


def write(folder: Path, *rows: tuple[str, dict[str, Any], float | None, float | None]) -> None:
    """A report of rows: style, settings, structure (none: the row failed), total loss."""
    pd.DataFrame(
        [
            {
                "style": style,
                "status": "completed" if structure is not None else "failed",
                "structure": structure,
                "style_distance": 0.25,
                "total_loss": loss,
                "seconds": 2.0,
                "settings": json.dumps(settings) if structure is not None else None,
            }
            for style, settings, structure, loss in rows
        ]
    ).to_parquet(folder / "report.parquet")


BALANCED = {"objective": "balanced", "size": 64}


def test_groups_have_counts_and_the_means_of_what_is_known(tmp_path: Path) -> None:
    write(
        tmp_path,
        ("b", BALANCED, 0.5, 1.0),
        ("a", BALANCED, 1.0, 2.0),
        ("b", BALANCED, 0.25, None),
        ("b", {}, None, None),
    )
    found = summarize(tmp_path, "style")
    told = [(group.value, group.count, group.mean("structure"), group.mean("total_loss")) for group in found.groups]
    assert told == [("a", 1, 1.0, 2.0), ("b", 2, 0.375, 1.0)]
    assert (found.failed, found.apart) == (1, {})


def test_a_setting_is_ordered_by_its_numbers_and_what_does_not_compare_is_told(tmp_path: Path) -> None:
    write(tmp_path, *(("a", {**BALANCED, "size": size}, 0.5, 1.0) for size in (128, 64, 1024)))
    for by in ("size", "set_size"):
        found = summarize(tmp_path, by)
        assert [group.value for group in found.groups] == ["64", "128", "1024"]
        assert found.apart["total_loss"] == ["size"]
    write(tmp_path, *((style, {"objective": "classic"}, 0.5, 1.0) for style in "ab"))
    assert summarize(tmp_path, "style").apart == {"total_loss": ["style"]}


def test_the_command_prints_the_table_and_draws_the_plot(tmp_path: Path) -> None:
    write(tmp_path, ("a$b$.jpg", BALANCED, 0.5, 1.0), ("夜.jpg", BALANCED, 0.75, 1.5))
    told = call("report", tmp_path)
    assert told.exit_code == 0
    assert ["a$b$.jpg", "1", "0.5", "0.25", "1", "2"] in [line.split() for line in told.stdout.splitlines()]
    svg = (tmp_path / "by-style.svg").read_text()
    assert "style distance" in svg
    as_json = json.loads(call("report", tmp_path, "--by", "size", "--json").stdout)
    assert as_json["groups"] == [
        {"size": "64", "count": 2, "structure": 0.625, "style_distance": 0.25, "total_loss": 1.25, "seconds": 2.0}
    ]
    assert draw_summary(summarize(tmp_path, "style"), tmp_path).read_text() == svg, "the same plot is the same file"


def test_what_is_no_report_or_column_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="there is no run in"):
        summarize(tmp_path, "style")
    write(tmp_path, ("a", BALANCED, 0.5, 1.0))
    with pytest.raises(BadRequest, match="no column 'stile', and there is no such setting; did you mean 'style'"):
        summarize(tmp_path, "stile")
