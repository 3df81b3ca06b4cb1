"""What a newcomer types is answered by what to write, within this process: nothing is computed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stylebatch.flows.cli import app
from stylebatch.tasks.runs.causes import Failure, by_cause


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "my.yaml", "--size", "64"], "--size is a setting: write --set size=64"),
        (["check", "my.yaml", "--style-weight=3"], "write --set style_weight=3"),
        (
            ["run", "a.jpg", "b.PNG"],
            "a.jpg is a picture, and run takes a manifest; without one, write: stylebatch run --contents a.jpg "
            "--styles b.PNG",
        ),
        (["run", "--contents", "a.jpg", "b.jpg", "--styles", "c.jpg"], "b.jpg has no option before it: put a pattern"),
        (["run", "--contents", "a.jpg"], "give a manifest, or both --contents"),
        (["run", "pairs.csv", "--contents", "a.jpg"], "give either a manifest or --contents and --styles"),
        (["run", "--contents", "*.jpg", "--styles", "*.jpg"], "--contents: nothing matches *.jpg"),
        (["check", "a.tiff"], "a.tiff is a picture, and check takes a manifest"),
        (["run", "gone.csv"], "there is no manifest gone.csv"),
        (["run", "pairs.csv", "--out", "full"], "--out full: there is thesis.tex in it, and no run"),
    ],
)
def test_what_is_typed_is_answered(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.csv").write_text("content,style\na.jpg,b.jpg\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").touch()
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert says in re.sub(r"[│\s]+", " ", result.output)


def test_failures_of_one_cause_are_told_together() -> None:
    gone = [
        Failure(f"r{number}", f"there is no file 'in/{number}.jpg'", f"in/{number}.jpg", "s.jpg") for number in (1, 2)
    ]
    assert by_cause([Failure("r0", "damaged", "0.jpg", "s.jpg"), *gone]) == {
        "there is no file '…'": ["r1", "r2"],
        "damaged": ["r0"],
    }
