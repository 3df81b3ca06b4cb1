"""The settings of failed rows, found in the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stylebatch.tasks.runs.asked import asked_settings

MANIFEST = """id,content,style,size,steps
a,a.jpg,s.jpg,64,1
,b.jpg,s.jpg,80,
c,c.jpg,s.jpg | t.jpg,96,many
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(MANIFEST)
    return path


def failed(row: int, name: str, content: str, style: str = "s.jpg") -> dict[str, Any]:
    return {"row": row, "id": name, "content": content, "style": style, "status": "failed"}


def test_failed_rows_have_what_they_asked_for(manifest: Path) -> None:
    done = failed(1, "a", "a.jpg") | {"status": "completed"}
    found = asked_settings(manifest, {"style_weight": "3"}, {}, [done, failed(2, "row-2", "b.jpg")])
    assert list(found) == ["row-2"]
    assert (found["row-2"]["size"], found["row-2"]["steps"], found["row-2"]["style_weight"]) == (80, 150, 3.0)
    assert "precision" not in found["row-2"], "the machine would have decided"


def test_settings_of_some_rows_win(manifest: Path) -> None:
    rows = [failed(1, "a", "a.jpg"), failed(2, "row-2", "b.jpg")]
    found = asked_settings(manifest, {"size": "48"}, {2: {"size": "32"}}, rows)
    assert {name: settings["size"] for name, settings in found.items()} == {"a": 48, "row-2": 32}


def test_nothing_is_made_up(manifest: Path) -> None:
    assert asked_settings(manifest, {}, {}, [failed(3, "c", "c.jpg", "s.jpg | t.jpg")]) == {"c": {}}, (
        "many is no number"
    )
    assert asked_settings(manifest, {}, {}, [failed(1, "a", "other.jpg")]) == {}
    assert asked_settings(manifest, {}, {}, [failed(4, "d", "d.jpg")]) == {}
    assert asked_settings(manifest.with_name("gone.csv"), {}, {}, [failed(1, "a", "a.jpg")]) == {}
