"""`--log-json`: one line a row, and nothing else on standard error."""

from __future__ import annotations

import json
import platform
from datetime import datetime
from pathlib import Path

import pytest

from tests.command import call


@pytest.mark.usefixtures("prefect", "restored_process", "no_grids")
def test_every_row_is_one_line_with_its_figures_or_its_error(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    manifest.write_text(manifest.read_text().replace("contents: [", "contents: [broken.jpg, "))
    done = call("run", manifest, "--out", tmp_path / "out", "--log-json")
    assert done.exit_code == 1, done.stderr
    assert done.stdout == ""
    first, *rows, last = [json.loads(line) for line in done.stderr.splitlines()]
    assert (first["event"], first["pairs"], first["settled"]) == ("started", 2, 1)
    assert {name: last[name] for name in ("event", "completed", "failed", "left")} == {
        "event": "ended", "completed": 2, "failed": 1, "left": 0,
    }  # fmt: skip
    assert [row["event"] for row in rows] == ["row"] * 3
    bad, *good = rows
    assert (bad["row"], bad["status"], bad["error_type"]) == (1, "failed", "BadInput")
    assert bad["error"].startswith("content: broken.jpg is not a picture")
    assert sorted(row["row"] for row in good) == [2, 3]
    for row in good:
        assert (row["status"], row["steps"], row["attempts"]) == ("completed", 3, 1)
        assert row["total_loss"] > 0
        assert row["machine"] == platform.node()
        assert (tmp_path / "out" / row["output"]).is_file()
        assert datetime.fromisoformat(row["time"]).tzinfo
    ran = json.loads((tmp_path / "out/run.json").read_text())["ran_on"]
    assert [(place["machine"], place["pairs"]) for place in ran] == [(platform.node(), 2)]
    assert ran[0]["seconds"] > 0
