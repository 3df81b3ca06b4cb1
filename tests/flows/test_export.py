"""``stylebatch export``, as a person and a script see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import call
from tests.tasks.export.conftest import TREE, write_run

pytestmark = pytest.mark.usefixtures("restored_process")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", TREE, failed=1)


def test_it_says_what_there_is_and_what_is_left_out(tree: Path, tmp_path: Path) -> None:
    result = call("export", tree, "--as", "imagefolder", "--out", tmp_path / "out")
    assert result.exit_code == 0, "what has failed was told by the run"
    assert result.stdout.splitlines()[:3] == ["3 pictures, 2 labels", "left out, since they failed: 1", "  zoo/ape"]
    assert str(tmp_path / "out") in result.stdout
    (tree / "images/beach/img.0001.jpg").unlink()
    again = call("export", tree, "--as", "imagefolder", "--out", tmp_path / "out", "--overwrite")
    assert again.exit_code == 1
    assert "left out, since they are not as the run has written them: 1\n  beach/img.0001 is not there" in again.stdout
    assert call("export", tree, "--as", "parquet", "--out", tmp_path / "quiet", "--quiet").stdout == ""


def test_a_script_is_told_in_json(tree: Path, tmp_path: Path) -> None:
    result = call("export", tree, "--as", "parquet", "--out", tmp_path / "out", "--json")
    assert json.loads(result.stdout) == {
        "pictures": 3,
        "labels": ["beach", "city/old"],
        "failed": ["zoo/ape"],
        "left": 0,
        "unusable": {},
        "as": "parquet",
        "out": str(tmp_path / "out"),
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{run}", "--as", "zip", "--out", "{tmp}/out"], "'zip' is not one of"),
        (["{tmp}/nowhere", "--as", "parquet", "--out", "{tmp}/out"], "there is no run in"),
        (["{run}", "--as", "parquet", "--out", "{run}"], "give an empty folder, or a new one"),
        (["{run}", "--as", "parquet"], "--out"),
    ],
)
def test_an_impossible_request_is_told_in_a_sentence(
    arguments: list[str], says: str, tree: Path, tmp_path: Path
) -> None:
    result = call("export", *(argument.format(run=tree, tmp=tmp_path) for argument in arguments))
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
