"""Rows from Python: carried out like a manifest's, and reported as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import stylebatch
from stylebatch.tasks.again.earlier import read_earlier
from stylebatch.tasks.request.manifest import read_manifest


@pytest.mark.usefixtures("prefect")
def test_rows_are_carried_out_once_and_the_report_comes_back(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(samples)
    out = tmp_path / "out"
    rows: list[dict[str, Any]] = [
        {"content": "images/chelsea.jpg", "style": Path("styles/swirls.jpg"), "steps": np.int64(2)},
        {"id": "blend", "content": "images/coffee.jpg", "style": {"styles/swirls.jpg": 2, "styles/glass.jpg": 1}},
        {"content": "nowhere.jpg", "style": "styles/glass.jpg", "steps": None},
    ]
    report = stylebatch.run(rows, out, size=64, steps=1)
    assert list(report["status"]) == ["completed", "completed", "failed"]
    assert report["error"][2] == f"content: there is no file '{Path.cwd() / 'nowhere.jpg'}'"
    assert report["id"][1] == "blend"
    assert report["content"][0] == str(samples / "images/chelsea.jpg")
    assert set(report["steps"].dropna()) == {1}, "settings win over the rows"
    pd.testing.assert_frame_equal(report, pd.read_parquet(out / "report.parquet"))

    monkeypatch.chdir(tmp_path)  # the folder has all that a later command needs
    assert read_earlier(out).manifest == out / "rows.jsonl"
    assert len(read_manifest(out / "rows.jsonl").rows) == 3

    monkeypatch.chdir(samples)
    table = pd.DataFrame(rows).drop(columns="style").assign(style=[row["style"] for row in rows])
    again = stylebatch.run(table, str(out), size=64, steps=1)
    assert list(again["status"]) == ["cached", "cached", "failed"]
    assert list(again["key"].dropna()) == list(report["key"].dropna())


@pytest.mark.parametrize(
    ("rows", "settings", "text"),
    [
        ([], {}, "rows: there are none"),
        ([{"content": "a.jpg", "stile": "b.jpg"}], {}, "rows: there is no column or setting 'stile'; did you mean"),
        ([{"content": "a.jpg"}], {}, "rows has no column 'style'"),
        ([{"content": "a.jpg", "style": "b.jpg"}], {"stepps": 3}, "run: there is no setting 'stepps'"),
    ],
)
def test_an_impossible_request_writes_nothing(
    rows: list[dict[str, Any]], settings: dict[str, Any], text: str, tmp_path: Path
) -> None:
    with pytest.raises(stylebatch.BadRequest) as raised:
        stylebatch.run(rows, tmp_path / "out", **settings)
    assert text in str(raised.value)
    assert not (tmp_path / "out").exists()
