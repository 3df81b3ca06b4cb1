"""The settings of failed rows, found in the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.asked import asked_settings

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


def failed(name: str, content: str, style: str = "s.jpg", **more: Any) -> dict[str, Any]:
    return {"id": name, "content": content, "style": style, "status": "failed", "settings": None, **more}


def test_failed_rows_have_what_they_asked_for(manifest: Path) -> None:
    rows = [failed("a", "a.jpg", status="completed", settings="{}"), failed("row-2", "b.jpg"), failed("c", "c.jpg")]
    found = asked_settings(manifest, {"style_weight": "3"}, rows)
    assert list(found) == ["row-2"], "the first is done, the third has another style"
    assert (found["row-2"]["size"], found["row-2"]["steps"], found["row-2"]["style_weight"]) == (80, 150, 3.0)
    assert "precision" not in found["row-2"], "the machine would have decided"


def test_a_report_without_all_rows_is_matched_by_ids(manifest: Path) -> None:
    found = asked_settings(manifest, {}, [failed("row-2", "b.jpg"), failed("a", "a.jpg")])
    assert {name: settings["size"] for name, settings in found.items()} == {"row-2": 80, "a": 64}
    assert asked_settings(manifest, {}, [failed("c", "c.jpg", "s.jpg | t.jpg")]) == {"c": {}}, "many is no number"


def test_nothing_is_made_up(manifest: Path) -> None:
    assert asked_settings(manifest, {}, [failed("a", "other.jpg")]) == {}
    assert asked_settings(manifest.with_name("gone.csv"), {}, [failed("a", "a.jpg")]) == {}
